/** The parts of the page of operations, and what its URL may say. */
export const TABS = ["sites", "pilots", "transfers", "storage", "accounting"] as const;
export type Tab = (typeof TABS)[number];

export const HOURS = [24, 168] as const;
export const DAYS = [7, 30, 90, 365] as const;
export const MEASURES = ["cpu", "wall", "size", "files", "entries"] as const;
export type Measure = (typeof MEASURES)[number];
export const SPLITS = ["kind", "account", "group", "site", "rse", "vo"] as const;
export type Split = (typeof SPLITS)[number];

export type OperationsSearch = {
  tab?: Tab;
  /** Of sites: show this one only. */
  site?: string;
  hours?: (typeof HOURS)[number];
  days?: (typeof DAYS)[number];
  measure?: Measure;
  by?: Split;
};

/** Read what a URL says; what means nothing is left out. */
export function readOperations(said: Record<string, unknown>): OperationsSearch {
  const search: OperationsSearch = {};
  const tab = TABS.find((one) => one === said.tab);
  const hours = HOURS.find((one) => one === said.hours);
  const days = DAYS.find((one) => one === said.days);
  const measure = MEASURES.find((one) => one === said.measure);
  const by = SPLITS.find((one) => one === said.by);
  if (tab !== undefined && tab !== "sites") search.tab = tab;
  if (typeof said.site === "string" && said.site !== "") search.site = said.site.slice(0, 200);
  if (hours !== undefined) search.hours = hours;
  if (days !== undefined) search.days = days;
  if (measure !== undefined) search.measure = measure;
  if (by !== undefined) search.by = by;
  return search;
}
