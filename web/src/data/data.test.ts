import { describe, expect, it } from "vitest";
import { crumbs, folderOf } from "./paths";
import { didQuery, readDidSearch, withChip } from "./search";

describe("a search for data", () => {
  it("reads of a URL what it knows, and nothing else", () => {
    const said = {
      where: " run > 1 ",
      kind: "planet",
      said: ["detector=ecl", "nonsense", 7],
      inherit: "yes",
      scope: 42,
    };
    expect(readDidSearch(said)).toEqual({ where: "run > 1", said: ["detector=ecl"], scope: "42" });
  });

  it("is for what was made last, as long as nothing is looked for", () => {
    expect(didQuery({})).toEqual({ newest: true });
    expect(didQuery({ kind: "dataset" })).toEqual({ kind: "dataset", newest: true });
    expect(didQuery({ prefix: "run 1" })).toEqual({ where: 'name like "run 1*"' });
    expect(didQuery({ scope: "mc", prefix: "run" })).toEqual({ scope: "mc", prefix: "run" });
  });

  it("joins chips with what was written, which stands in parentheses", () => {
    const search = withChip(withChip({ where: "a = 1 | b = 2" }, "detector=e c l"), "stream=raw");
    expect(didQuery(search).where).toBe('detector = "e c l" & stream = raw & (a = 1 | b = 2)');
    expect(withChip(search, "stream=raw").said).toEqual(["detector=e c l"]);
  });
});

it("a path leads down from its VO", () => {
  expect(crumbs("/belle/mc/a/")).toEqual([
    { name: "belle", path: "/belle/" },
    { name: "mc", path: "/belle/mc/" },
    { name: "a", path: "/belle/mc/a/" },
  ]);
  expect(folderOf("belle", "mc:run/a.root")).toBe("/belle/mc/run/");
  expect(folderOf("belle", "mc:a.root")).toBe("/belle/mc/");
});
