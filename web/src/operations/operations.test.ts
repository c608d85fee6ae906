import { describe, expect, it } from "vitest";
import { csvOf, curvesOf, type Sum, stacked } from "../charts/series";
import { health, key, matrixOf } from "./matrix";
import { type Downtime, downtimesOf, standing } from "./standing";
import { readOperations } from "./tabs";

const NOW = Date.parse("2026-11-29T12:00:00Z");

function down(name: string, begins_at: string): Downtime {
  const begun = Date.parse(begins_at) <= NOW;
  return {
    downtime_id: 1,
    kind: "Site",
    name,
    site: name,
    begins_at,
    ends_at: null,
    reason: "cooling",
    own: false,
    begun,
  };
}

it("a URL says what is shown, and what it does not know is left out", () => {
  expect(readOperations({ tab: "pilots", hours: 168, days: 5, by: "x", site: "" })).toEqual({
    tab: "pilots",
    hours: 168,
  });
  expect(readOperations({ tab: "sites", site: "LCG.KEK.jp" })).toEqual({ site: "LCG.KEK.jp" });
});

it("a downtime counts from its beginning, and a switch always", () => {
  const all = [
    down("B", "2026-11-30T00:00:00Z"),
    down("B", "2026-11-29T11:00:00Z"),
    down("A", "2026-11-01T00:00:00Z"),
  ];
  const [first, later] = downtimesOf(all, "Site", "B");
  expect(first?.begins_at).toBe("2026-11-29T11:00:00Z");
  expect(
    standing(
      false,
      [first, later].filter((one) => one !== undefined),
    ),
  ).toBe("down");
  expect(standing(true, later === undefined ? [] : [later])).toBe("open");
  expect(standing(false, [])).toBe("off");
});

it("a link has what arrived, what is under way and what failed", () => {
  const arrived = [
    { source: "A", rse: "B", files: 9, size: 900 },
    { source: null, rse: "B", files: 1, size: 1 },
  ];
  const now = [
    { source: "A", rse: "B", active: 1, failed: 1, error: "away" },
    { source: "C", rse: "B", active: 0, failed: 2, error: null },
  ];
  const { sources, rses, at } = matrixOf(arrived, now);
  expect([sources, rses]).toEqual([["A", "C"], ["B"]]);
  expect(at.get(key("A", "B"))).toEqual({
    source: "A",
    rse: "B",
    files: 9,
    size: 900,
    active: 1,
    failed: 1,
    error: "away",
  });
  expect([...at.values()].map(health)).toEqual(["poor", "bad"]);
});

describe("curves", () => {
  const none = { vo: null, group: null, account: null, site: null, rse: null, kind: null, source: null };
  const sum = (site: string | null, day: string, cpu: number): Sum => ({
    ...none,
    site,
    day: `${day}T00:00:00Z`,
    entries: 1,
    files: 0,
    size: 0,
    wall: 2 * cpu,
    cpu,
  });
  const asked = {
    by: "site",
    measure: "cpu",
    days: 2,
    until: NOW,
    none: "no site",
    others: "others",
  } as const;

  it("have every day, and the greatest name first", () => {
    const sums = [
      sum("A", "2026-11-28", 1),
      sum("B", "2026-11-29", 5),
      sum(null, "2026-11-29", 2),
      sum("A", "2026-01-01", 1),
    ];
    const { days, names, values } = curvesOf(sums, asked);
    expect(days).toEqual(["2026-11-28", "2026-11-29"]);
    expect(names.slice(0, 1)).toEqual(["B"]);
    expect(values[names.indexOf("A")]).toEqual([1, 0]);
    expect(values[names.indexOf("no site")]).toEqual([0, 2]);
    expect(stacked(values).at(-1)).toEqual([1, 7]);
  });

  it("beyond the greatest are one", () => {
    const sums = Array.from({ length: 12 }, (_, n) => sum(`S${n}`, "2026-11-29", n + 1));
    const { names, values } = curvesOf(sums, asked);
    expect(names).toEqual(["S11", "S10", "S9", "S8", "S7", "S6", "S5", "others"]);
    expect(values.at(-1)).toEqual([0, 15]);
  });

  it("are a table in which no name is computed", () => {
    const curves = { days: ["2026-11-29"], names: ["=1+1", 'a "b", c'], values: [[1.5], [2]] };
    expect(csvOf(curves)).toBe('day,\'=1+1,"a ""b"", c"\r\n2026-11-29,1.5,2');
  });
});
