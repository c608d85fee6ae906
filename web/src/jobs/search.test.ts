import { describe, expect, it } from "vitest";
import { NONE, quoted, readSearch, sortedBy, toggled, whereOf } from "./search";

describe("a search in a URL", () => {
  it("leaves out what means nothing", () => {
    const said = {
      state: ["failed", "nonsense"],
      sort: "name",
      where: "  ",
      site: 7,
      everybody: "yes",
      x: 1,
    };
    expect(readSearch(said)).toEqual({ state: ["failed"], site: "7" });
  });

  it("reads a single state, and sorts the newest first without saying so", () => {
    expect(readSearch({ state: "done", sort: "-id", everybody: true })).toEqual({
      state: ["done"],
      everybody: true,
    });
  });
});

describe("the query of a search", () => {
  it("is of somebody's jobs unless all are asked for", () => {
    expect(whereOf({ owner: "alice" })).toBe("account = alice");
    expect(whereOf({ everybody: true })).toBeUndefined();
  });

  it("joins filters, and puts what was written into parentheses", () => {
    const search = {
      state: ["failed", "killed"] as const,
      site: "LCG.A",
      where: "a = 1 | b = 2",
      owner: "al",
    };
    expect(whereOf({ ...search, state: [...search.state] })).toBe(
      "account = al & state in (failed, killed) & site = LCG.A & (a = 1 | b = 2)",
    );
  });

  it("leaves out the facet that is counted", () => {
    expect(whereOf({ everybody: true, state: ["done"], type: NONE }, "state")).toBe("~(type exists)");
  });

  it("quotes what could mean something else", () => {
    expect(quoted('a b"c')).toBe('"a b\\"c"');
    expect(quoted("x | y")).toBe('"x | y"');
    expect(quoted("LCG.KEK.jp")).toBe("LCG.KEK.jp");
  });
});

it("a state goes in and out", () => {
  expect(toggled({}, "done")).toEqual({ state: ["done"] });
  expect(toggled({ state: ["done"], where: "x" }, "done")).toEqual({ where: "x" });
});

it("a column sorts from the highest first, then the other way", () => {
  expect(sortedBy({}, "changed_at")).toEqual({ sort: "-changed_at" });
  expect(sortedBy({ sort: "-changed_at" }, "changed_at")).toEqual({ sort: "changed_at" });
  expect(sortedBy({ sort: "id" }, "id")).toEqual({});
});
