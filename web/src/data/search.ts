/** Which DIDs are shown, as the URL says it, and the same as the server is asked (`sancho data find`). */
import { quoted } from "../jobs/search";

export const KINDS = ["file", "dataset", "container"] as const;
export type Kind = (typeof KINDS)[number];

export type DidSearch = {
  where?: string;
  scope?: string;
  kind?: Kind;
  /** How names begin. */
  prefix?: string;
  /** A collection below which is searched. */
  within?: string;
  /** What collections say counts for what is below them. */
  inherit?: true;
  /** Chips that were chosen: `key=value` of metadata. */
  said?: string[];
};

/** What the server is asked for; without anything to look for, what was made last. */
export type DidQuery = {
  where?: string;
  scope?: string;
  kind?: Kind;
  prefix?: string;
  within?: string;
  inherit?: boolean;
  newest?: boolean;
};

/** Read a search out of a URL; what means nothing is left out. */
export function readDidSearch(said: Record<string, unknown>): DidSearch {
  const search: DidSearch = {};
  for (const name of ["where", "scope", "prefix", "within"] as const) {
    const text = word(said[name], name === "where" ? 4000 : 300);
    if (text !== undefined) search[name] = text;
  }
  const kind = KINDS.find((one) => one === said.kind);
  if (kind !== undefined) search.kind = kind;
  if (said.inherit === true) search.inherit = true;
  const chips = (Array.isArray(said.said) ? said.said : [said.said])
    .map((one: unknown) => word(one, 300))
    .filter((one) => one?.includes("=") === true)
    .slice(0, 20) as string[];
  if (chips.length > 0) search.said = chips;
  return search;
}

/** The search in the server's words. */
export function didQuery(search: DidSearch): DidQuery {
  const { scope, kind, within, inherit, prefix } = search;
  const where = whereOf(search);
  const query: DidQuery = kind === undefined ? {} : { kind };
  if (scope === undefined && where === undefined && within === undefined) {
    if (prefix === undefined) return { ...query, newest: true };
    return { ...query, where: `name like ${quoted(`${prefix}*`)}` };
  }
  if (scope !== undefined) query.scope = scope;
  if (where !== undefined) query.where = where;
  if (within !== undefined) query.within = within;
  if (prefix !== undefined) query.prefix = prefix;
  if (inherit) query.inherit = true;
  return query;
}

function whereOf({ where, said = [] }: DidSearch): string | undefined {
  const terms = said.map((one) => {
    const at = one.indexOf("=");
    return `${one.slice(0, at)} = ${quoted(one.slice(at + 1))}`;
  });
  if (where !== undefined) terms.push(terms.length > 0 ? `(${where})` : where);
  return terms.length > 0 ? terms.join(" & ") : undefined;
}

/** The search with a chip in it, or without it where it was. */
export function withChip(search: DidSearch, chip: string): DidSearch {
  const { said = [], ...rest } = search;
  const now = said.includes(chip) ? said.filter((one) => one !== chip) : [...said, chip];
  return now.length > 0 ? { ...rest, said: now } : rest;
}

/** The search with one thing said otherwise, or no more. */
export function withSaid(
  search: DidSearch,
  said: { [name in keyof DidSearch]: DidSearch[name] | undefined },
): DidSearch {
  return readDidSearch({ ...search, ...said });
}

/** Whether anything narrows the list. */
export const isNarrowed = (search: DidSearch): boolean => Object.keys(search).length > 0;

function word(value: unknown, longest: number): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.trim() !== "" ? text.trim().slice(0, longest) : undefined;
}
