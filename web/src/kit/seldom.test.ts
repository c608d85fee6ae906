import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { seldom } from "./seldom";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("what is asked for all the time is done at once, and then once in each pause", () => {
  const done: number[] = [];
  const start = Date.now();
  const one = seldom(() => done.push(Date.now() - start), 10_000);
  for (let n = 0; n < 25; n += 1) {
    one.ask();
    vi.advanceTimersByTime(1_000);
  }
  expect(done).toEqual([0, 10_000, 20_000]);
  one.ask();
  one.end();
  vi.advanceTimersByTime(60_000);
  expect(done.length).toBe(3);
});
