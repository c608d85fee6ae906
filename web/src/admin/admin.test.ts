import { expect, it } from "vitest";
import { type Account, documentOf } from "./account";
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

it("a change of an account leaves all else as it is, and nobody is let in by it who was barred", () => {
  const change = { groups: ["admins"], email: null };
  const said = {
    kind: "service",
    email: "a@b.c",
    groups: [],
    suspended: false,
    password_hash: "#",
    attributes: { n: 1 },
  };
  expect(documentOf(undefined, said, change)).toEqual({ kind: "service", attributes: { n: 1 }, ...change });
  expect(documentOf(undefined, undefined, change)).toEqual(change);
  const provided: Account = {
    account_id: 1,
    name: "alice",
    kind: "service",
    state: "suspended",
    email: "a@b.c",
    created_at: "2026-01-01T00:00:00Z",
    groups: ["users"],
    attributes: { n: 1 },
  };
  const first = { kind: "service", attributes: { n: 1 }, ...change };
  expect(documentOf(provided, undefined, change)).toEqual({ ...first, suspended: true });
  expect(documentOf({ ...provided, state: "active" }, undefined, change)).toEqual(first);
});
