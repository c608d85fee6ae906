import { expect, it } from "vitest";
import { differences } from "./differences";
import { readAdmin } from "./tabs";

it("documents differ field by field, and lists as a whole", () => {
  const before = { groups: ["users"], settings: { a: 1, b: "x" }, gone: true };
  const after = { groups: ["users", "admins"], settings: { a: 1, b: "y", c: null } };
  expect(differences(before, after)).toEqual([
    { path: "gone", before: "true", after: undefined },
    { path: "groups", before: '["users"]', after: '["users","admins"]' },
    { path: "settings.b", before: '"x"', after: '"y"' },
    { path: "settings.c", before: undefined, after: "null" },
  ]);
  expect(differences(null, { enabled: true })).toEqual([
    { path: "enabled", before: undefined, after: "true" },
  ]);
  expect(differences(after, after)).toEqual([]);
});

it("a URL of administration says what is looked for", () => {
  expect(readAdmin({ tab: "audit", account: " alice ", allowed: false, version: -1, on: 7 })).toEqual({
    tab: "audit",
    account: "alice",
    allowed: false,
  });
  expect(readAdmin({ tab: "configuration", version: 7 })).toEqual({ tab: "configuration", version: 7 });
});
