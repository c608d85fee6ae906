import { describe, expect, it } from "vitest";
import { fieldOf, read, START, shellWord, withField, words } from "./draft";

describe("a draft", () => {
  it("is a description, with what stands beside it", () => {
    expect(read("name: a\ncommand: [x]\ncount: 3\nafter: [7]")).toEqual({
      body: { description: { name: "a", command: ["x"] }, parameters: { count: 3 }, after: [7] },
    });
  });

  it("may be JSON", () => {
    expect(read('{"name": "a", "parameters": [{"n": 1}]}')).toEqual({
      body: { description: { name: "a" }, parameters: [{ n: 1 }] },
    });
  });

  it.each(["a: [", "- x", "", "just words"])("that is none is said to be so: %j", (text) => {
    expect(read(text)).toHaveProperty("fault");
  });

  it("is written by its form, and keeps what else stands there", () => {
    const text = "# mine\nname: a # short\ncommand: [x]\n";
    const changed = withField(withField(text, ["requirements", "cores"], "4"), ["command"], "sh -c 'a b'");
    expect(changed).toBe("# mine\nname: a # short\ncommand: [sh, -c, a b]\nrequirements:\n  cores: 4\n");
    expect(fieldOf(changed, ["command"])).toBe("sh -c 'a b'");
    expect(withField(changed, ["requirements", "cores"], "")).not.toContain("cores");
  });

  it("begins as something that can be submitted", () => {
    expect(read(START)).toHaveProperty("body.description.command", [
      "sh",
      "-c",
      "echo Hello from $(hostname)",
    ]);
  });

  it("that is broken is not touched by the form", () => {
    expect(withField("a: [", ["name"], "x")).toBe("a: [");
  });
});

it.each([
  ["a b", ["a", "b"]],
  ["sh -c 'x y' \"p q\"", ["sh", "-c", "x y", "p q"]],
  ['echo "a \\"b\\""', ["echo", 'a "b"']],
  ["a'b'c d\\ e", ["abc", "d e"]],
  ["  ", []],
])("a shell's words: %s", (line, found) => {
  expect(words(line)).toEqual(found);
});

it("what is written as words is read back", () => {
  const all = ["plain", "two words", "it's", 'a "b"', "$x"];
  expect(words(all.map(shellWord).join(" "))).toEqual(all);
});
