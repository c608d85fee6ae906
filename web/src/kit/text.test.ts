import { expect, it } from "vitest";
import { bytes, shown } from "./text";
import { ago, duration } from "./time";

it("hostile names show what is in them, and no more of it than fits", () => {
  expect(shown("a\u202eexe.txt")).toBe("a\ufffdexe.txt");
  expect(shown("a\u0000b\u200bc\u2066d")).toBe("a\ufffdb\ufffdc\ufffdd");
  expect(shown("<script>alert(1)</script>")).toBe("<script>alert(1)</script>");
  expect(shown("x".repeat(10_000), 50)).toHaveLength(51);
  expect(shown("two\nlines")).toBe("two\nlines");
});

it("sizes and times are said as people say them", () => {
  expect([bytes(0), bytes(999), bytes(1500), bytes(2.5e9)]).toEqual(["0 B", "999 B", "1.50 kB", "2.50 GB"]);
  expect([duration(0), duration(59), duration(3600), duration(7_500), duration(200_000)]).toEqual([
    "0 s",
    "59 s",
    "1 h",
    "2 h 5 min",
    "2 d 7 h",
  ]);
  expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:10:31Z"))).toBe("10 min ago");
});
