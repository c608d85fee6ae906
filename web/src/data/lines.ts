import { authorized } from "../api/client";
import { asProblem, problemOf } from "../api/problem";

/** The first lines of an answer that is a document a line, and whether there are more: the rest is not read. */
export type Lines<T> = { items: T[]; more: boolean };

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

/** The first lines of a stream. */
export async function firstLines(body: ReadableStream<Uint8Array>, most: number): Promise<Lines<string>> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  const items: string[] = [];
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read();
    const parts = (rest + value).split("\n");
    rest = parts.pop() ?? "";
    if (done && rest.trim() !== "") parts.push(rest);
    for (const part of parts) {
      if (part.trim() === "") continue;
      if (items.length === most) return { items, more: true };
      items.push(part);
    }
    if (done) return { items, more: false };
  }
}
