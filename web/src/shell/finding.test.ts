import { expect, it } from "vitest";
import { dataPath, meant } from "./finding";

it("a number is a job or a rule, and may be a name; with # it is a number alone", () => {
  expect(meant(" 17 ")).toEqual([
    { kind: "number", id: 17 },
    { kind: "word", word: "17" },
  ]);
  expect(meant("#17")).toEqual([{ kind: "number", id: 17 }]);
  expect(meant("9".repeat(30))).toEqual([{ kind: "word", word: "9".repeat(30) }]);
});

it("a colon makes a DID, a slash a path, anything else a word", () => {
  expect(meant("mc:run7/a.root")).toEqual([{ kind: "did", scope: "mc", name: "run7/a.root" }]);
  expect(meant("/belle/mc")).toEqual([{ kind: "path", path: "/belle/mc" }]);
  expect(meant("LCG.KEK")).toEqual([{ kind: "word", word: "LCG.KEK" }]);
  expect(meant("  ")).toEqual([]);
});

it("the page of a DID has whatever its name has", () => {
  expect(dataPath("mc:a/b c:d")).toBe("/data/did?did=mc%3Aa%2Fb%20c%3Ad");
});
