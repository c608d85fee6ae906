import { expect, it } from "vitest";
import { asProblem, Problem, problemOf } from "./problem";

const REFUSED = {
  code: "permission_missing",
  detail: "Account bob of VO belle lacks the permission jobs:manage.",
  hint: "Ask an administrator of belle for a group that has it.",
  facts: { account: "bob", permission: "jobs:manage" },
  trace_id: "abc",
};

it("what the server says is kept: the permission that is missing, what to do next, what to quote", async () => {
  const problem = await problemOf(new Response(JSON.stringify(REFUSED), { status: 403 }));
  expect(problem).toMatchObject({ status: 403, permission: "jobs:manage", traceId: "abc", away: false });
  expect(problem.hint).toContain("administrator");
});

it.each(["<html>", "null", "[]", '{"detail": 3}'])(
  "an answer that says nothing is a problem as well: %s",
  async (body) => {
    const problem = await problemOf(new Response(body, { status: 502 }));
    expect(problem).toMatchObject({ status: 502, code: "unknown", away: true });
    expect(problem.message).toContain("502");
  },
);

it("a server that does not answer is away", () => {
  expect(asProblem(new TypeError("Failed to fetch")).away).toBe(true);
  expect(asProblem(new Problem(404, {})).away).toBe(false);
});
