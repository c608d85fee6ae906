/** Which jobs a list shows, as its URL says it, and the same in the language of searches (`sancho job list --where`). */

export const STATES = [
  "pending",
  "waiting",
  "held",
  "matched",
  "running",
  "completing",
  "done",
  "failed",
  "killed",
] as const;
export type State = (typeof STATES)[number];

export const SORTS = ["id", "submitted_at", "changed_at"] as const;
export type SortField = (typeof SORTS)[number];
export type Sort = SortField | `-${SortField}`;

export type JobSearch = {
  where?: string;
  state?: State[];
  site?: string;
  type?: string;
  /** Whose jobs; the page writes it into the URL, so that a colleague who gets that sees the same. */
  owner?: string;
  everybody?: true;
  sort?: Sort;
  columns?: string[];
};
/** Filters that chips stand for. */
export type Facet = "state" | "site" | "type";
/** What a chip says of jobs that have no site or no type. */
export const NONE = "~";

/** Read a search out of a URL; what means nothing is left out. */
export function readSearch(said: Record<string, unknown>): JobSearch {
  const search: JobSearch = {};
  const where = word(said.where);
  const site = word(said.site);
  const type = word(said.type);
  const owner = word(said.owner);
  const states = list(said.state).filter(isState);
  const sort = SORTS.flatMap((field) => [field, `-${field}`] as const).find((one) => one === said.sort);
  const columns = list(said.columns).slice(0, 10);
  if (where !== undefined) search.where = where;
  if (states.length > 0) search.state = states;
  if (site !== undefined) search.site = site;
  if (type !== undefined) search.type = type;
  if (said.everybody === true) search.everybody = true;
  else if (owner !== undefined) search.owner = owner;
  if (sort !== undefined && sort !== "-id") search.sort = sort;
  if (columns.length > 0) search.columns = columns;
  return search;
}

/** The query of a search; `except` leaves one filter out, to count what its chips stand for. */
export function whereOf(search: JobSearch, except?: Facet): string | undefined {
  const terms: string[] = [];
  if (search.owner !== undefined) terms.push(`account = ${quoted(search.owner)}`);
  if (search.state !== undefined && except !== "state") terms.push(`state in (${search.state.join(", ")})`);
  for (const field of ["site", "type"] as const) {
    const value = search[field];
    if (value === undefined || except === field) continue;
    terms.push(value === NONE ? `~(${field} exists)` : `${field} = ${quoted(value)}`);
  }
  if (search.where !== undefined) terms.push(terms.length > 0 ? `(${search.where})` : search.where);
  return terms.length > 0 ? terms.join(" & ") : undefined;
}

/** A value as the language wants it: in quotes when anything in it could mean something. */
export function quoted(value: string): string {
  if (/^[^\s()&|~,'"=<>!\\]+$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, (mark) => `\\${mark}`)}"`;
}

/** The search with a state in it, or without it where it was. */
export function toggled(search: JobSearch, state: State): JobSearch {
  const had = search.state ?? [];
  const { state: _, ...rest } = search;
  const now = had.includes(state) ? had.filter((one) => one !== state) : [...had, state];
  return now.length > 0 ? { ...rest, state: now } : rest;
}

/** The search sorted by a field: from the highest first, then the other way round. */
export function sortedBy(search: JobSearch, field: SortField): JobSearch {
  const { sort = "-id", ...rest } = search;
  const next: Sort = sort === `-${field}` ? field : `-${field}`;
  return next === "-id" ? rest : { ...rest, sort: next };
}

/** The search without its filters: of the same people's jobs. */
export function cleared({ owner, everybody }: JobSearch): JobSearch {
  if (everybody) return { everybody };
  return owner === undefined ? {} : { owner };
}

/** Whether anything narrows the list. */
export function isNarrow(search: JobSearch): boolean {
  return [search.where, search.state, search.site, search.type].some((one) => one !== undefined);
}

function isState(text: string): text is State {
  return STATES.some((state) => state === text);
}

function word(value: unknown): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && text.trim() !== "" ? text.trim().slice(0, 4000) : undefined;
}

function list(value: unknown): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.map(word).filter((one) => one !== undefined);
}
