import { authorized } from "../api/client";
import { asProblem, problemOf } from "../api/problem";
import { firstLines, type Lines } from "./stream";

/** Ask for lines; `most` is how many are read at most. Raises a `Problem`. */
export async function lines<T>(path: string, most: number, init: RequestInit = {}): Promise<Lines<T>> {
  try {
    const ending = new AbortController();
    init.signal?.addEventListener("abort", () => ending.abort());
    const response = await authorized(new Request(path, { ...init, signal: ending.signal }));
    if (!response.ok || response.body === null) throw await problemOf(response);
    const found = await firstLines(response.body, most);
    if (found.more) ending.abort();
    return { items: found.items.map((one) => JSON.parse(one) as T), more: found.more };
  } catch (error) {
    throw asProblem(error);
  }
}
