/** The first lines of an answer that is a document a line, and whether there are more: the rest is not read. */
export type Lines<T> = { items: T[]; more: boolean };

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
