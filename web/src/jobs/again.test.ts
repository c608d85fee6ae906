import { expect, test } from "vitest";
import { parse } from "yaml";
import { again, otherName } from "./again";

test("what a job did is written down to be done again, under other names", () => {
  const description = {
    name: "sim {number}",
    command: ["sh", "-c", "echo {number} {unknown}"],
    environment: { SEED: "{seed}" },
    group: null,
    sandbox: null,
    inputs: [],
    close_datasets: false,
    requirements: { cores: 1, memory: 1000 },
    outputs: [{ path: "out.root", did: "mc:out-{number}.root", dataset: "mc:set", rule: null }],
  };
  expect(parse(again({ description, parameters: { number: 3, seed: "x" } }))).toEqual({
    name: "sim {number}",
    command: ["sh", "-c", "echo 3 {unknown}"],
    environment: { SEED: "x" },
    requirements: { cores: 1, memory: 1000 },
    outputs: [{ path: "out.root", did: "mc:out-3-again.root", dataset: "mc:set" }],
  });
});

test.each([
  ["mc:a.root", "mc:a-again.root"],
  ["mc:a-again.root", "mc:a-again-2.root"],
  ["mc:a-again-2.root", "mc:a-again-3.root"],
  ["mc:plain", "mc:plain-again"],
  ["mc:a.b/c", "mc:a.b/c-again"],
  ["mc:x.tar.gz", "mc:x.tar-again.gz"],
])("%s becomes %s", (did, other) => {
  expect(otherName(did)).toBe(other);
});
