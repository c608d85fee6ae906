/** The parts of the page of administration, and what its URL may say. */
export const TABS = ["accounts", "audit", "configuration", "vo"] as const;
export type Tab = (typeof TABS)[number];

export type AdminSearch = {
  tab?: Tab;
  account?: string;
  permission?: string;
  on?: string;
  allowed?: boolean;
  version?: number;
};

/** Read what a URL says; what means nothing is left out. */
export function readAdmin(said: Record<string, unknown>): AdminSearch {
  const search: AdminSearch = {};
  const tab = TABS.find((one) => one === said.tab);
  if (tab !== undefined && tab !== "accounts") search.tab = tab;
  for (const field of ["account", "permission", "on"] as const) {
    const text = said[field];
    if (typeof text === "string" && text.trim() !== "") search[field] = text.trim().slice(0, 500);
  }
  if (typeof said.allowed === "boolean") search.allowed = said.allowed;
  if (Number.isSafeInteger(said.version) && Number(said.version) > 0) search.version = Number(said.version);
  return search;
}
