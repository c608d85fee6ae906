import { data } from "./data";
import { en } from "./en";

const texts = { ...en, ...data } as const;
export type Key = keyof typeof texts;
type Facts = Record<string, string | number>;

/** A text of the page, its `{names}` filled in. Every text that the page shows of its own comes through here. */
export function t(key: Key, facts: Facts = {}): string {
  return texts[key].replace(/\{(\w+)\}/g, (all, name: string) => String(facts[name] ?? all));
}

const numbers = new Intl.NumberFormat("en");
/** A number as people read it. */
export const number = (value: number): string => numbers.format(value);
