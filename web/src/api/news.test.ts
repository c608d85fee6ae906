import { expect, it } from "vitest";
import { merged } from "./news";

it("news that come in one moment are told as one", () => {
  const first = merged(undefined, { job_ids: [1, 2], more: false });
  expect(merged(first, { job_ids: [2, 3], more: true })).toEqual({ job_ids: [1, 2, 3], more: true });
  expect(merged(first, undefined)).toBe("anything");
  expect(merged("anything", { job_ids: [1], more: false })).toBe("anything");
});
