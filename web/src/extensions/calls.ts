/** What an extension asks of the page, taken apart: it may be anything. See `src/sancho/web/host/host-1.d.ts`. */
import type { Call, Query, Refusal } from "../../../src/sancho/web/host/host-1";

const LONGEST = 2000;
const MOST_PARAMETERS = 40;
const LOWEST = 40;
const HIGHEST = 2000;

/** A call, if this is one. */
export function readCall(said: unknown): Call | undefined {
  if (!isRecord(said) || !Number.isSafeInteger(said.id)) return undefined;
  const id = Number(said.id);
  const { call, path, to, pixels } = said;
  if (call === "get" && isShort(path)) {
    const query = readQuery(said.query ?? {});
    return query === undefined ? undefined : { id, call, path, query };
  }
  if (call === "open" && isShort(to)) return { id, call, to };
  if (call === "height" && typeof pixels === "number" && Number.isFinite(pixels)) {
    return { id, call, pixels: Math.min(Math.max(Math.round(pixels), LOWEST), HIGHEST) };
  }
  return undefined;
}

function readQuery(said: unknown): Query | undefined {
  if (!isRecord(said)) return undefined;
  const all = Object.entries(said);
  const values = all.flatMap(([, value]) => (Array.isArray(value) ? value : [value]) as unknown[]);
  const plain = values.every((one) => isShort(one) || typeof one === "number" || typeof one === "boolean");
  return plain && values.length <= MOST_PARAMETERS ? (said as Query) : undefined;
}

/** The declared path that a path is one of; none when it is none, or leads somewhere by `..` and the like. */
export function declaredFor(asks: readonly string[], path: string): string | undefined {
  const origin = "https://sancho.invalid";
  if (!URL.canParse(path, origin)) return undefined;
  const url = new URL(path, origin);
  if (url.origin !== origin || url.pathname !== path) return undefined;
  const parts = path.split("/");
  return asks.find((ask) => {
    const declared = ask.split("/");
    return (
      declared.length === parts.length &&
      declared.every((one, n) => (/^\{\w+\}$/.test(one) ? parts[n] !== "" : one === parts[n]))
    );
  });
}

/** The address of one of our own pages, if a text is that. */
export function pageAt(to: string): string | undefined {
  const origin = "https://sancho.invalid";
  if (!/^\/(?![/\\])/.test(to) || !URL.canParse(`/ui${to}`, origin)) return undefined;
  const url = new URL(`/ui${to}`, origin);
  const inside = url.origin === origin && url.pathname.startsWith("/ui/");
  return inside ? url.pathname + url.search + url.hash : undefined;
}

export const refusal = (status: number, code: string, message: string): Refusal => ({
  status,
  code,
  message,
});

/** Counts calls: so many at once, and so many more each second. */
export class Allowance {
  #left: number;
  #at: number;

  constructor(
    readonly most: number,
    readonly perSecond: number,
    now: number,
  ) {
    this.#left = most;
    this.#at = now;
  }

  /** Whether one more is allowed at this time, in milliseconds. */
  take(now: number): boolean {
    this.#left = Math.min(this.most, this.#left + ((now - this.#at) / 1000) * this.perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** The text of an answer, unless it is longer than so many bytes. */
export async function textWithin(response: Response, most: number): Promise<string | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > most) {
      await reader.cancel();
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

const isShort = (value: unknown): value is string => typeof value === "string" && value.length <= LONGEST;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
