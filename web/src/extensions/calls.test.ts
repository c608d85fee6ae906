import { describe, expect, test } from "vitest";
import { Allowance, declaredFor, pageAt, readCall, textWithin } from "./calls";

describe("what an extension may ask", () => {
  const asks = ["/v1/jobs/{job_id}", "/v1/dids/{did}", "/v1/whoami"];

  test.each([
    ["/v1/jobs/17", "/v1/jobs/{job_id}"],
    ["/v1/dids/mc%3Aa%2Fb", "/v1/dids/{did}"],
    ["/v1/whoami", "/v1/whoami"],
  ])("%s is declared", (path, ask) => {
    expect(declaredFor(asks, path)).toBe(ask);
  });

  test.each([
    "/v1/jobs",
    "/v1/jobs/",
    "/v1/jobs/17/log",
    "/v1/jobs/../whoami",
    "/v1/jobs/%2e%2e",
    "/v1/whoami?x=1",
    "/v1/whoami#x",
    "//evil.example/v1/whoami",
    "https://evil.example/v1/whoami",
    "/v1\\whoami",
    "",
    "v1/whoami",
  ])("%s is not", (path) => {
    expect(declaredFor(asks, path)).toBeUndefined();
  });
});

test.each([
  ["/jobs/17", "/ui/jobs/17"],
  ["/data?path=%2Fbelle", "/ui/data?path=%2Fbelle"],
  ["/", "/ui/"],
  ["/../v1/objects", undefined],
  ["//evil.example", undefined],
  ["/\\evil.example", undefined],
  ["javascript:alert(1)", undefined],
])("%s leads to %s", (to, page) => {
  expect(pageAt(to)).toBe(page);
});

test("what is no call is none, and a height has bounds", () => {
  const odd: unknown[] = [
    null, 7, "get", [], {}, { id: "1", call: "get", path: "/v1/whoami" }, { id: 1, call: "post", path: "/v1/jobs" },
    { id: 1, call: "get", path: "/".repeat(3000) }, { id: 1, call: "get", path: "/v1/jobs", query: { a: {} } },
    { id: 1, call: "get", path: "/v1/jobs", query: { a: Array(50).fill("x") } }, { id: 1, call: "height", pixels: NaN },
  ]; // biome-ignore format: a list of short things
  expect(odd.map(readCall)).toEqual(odd.map(() => undefined));
  expect(readCall({ id: 1, call: "height", pixels: 1e9 })).toEqual({ id: 1, call: "height", pixels: 2000 });
  expect(readCall({ id: 2, call: "get", path: "/v1/jobs", query: { state: ["done"], limit: 5 } })).toEqual({
    id: 2,
    call: "get",
    path: "/v1/jobs",
    query: { state: ["done"], limit: 5 },
  });
});

test("calls are counted, and time gives more", () => {
  const allowance = new Allowance(2, 10, 0);
  expect([0, 0, 0, 99, 100, 101].map((now) => allowance.take(now))).toEqual([
    true,
    true,
    false,
    false,
    true,
    false,
  ]);
});

test("an answer that is too long is not read to its end", async () => {
  expect(await textWithin(new Response("ä".repeat(5)), 10)).toBe("äääää");
  expect(await textWithin(new Response("x".repeat(11)), 10)).toBeUndefined();
});
