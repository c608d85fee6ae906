/** The parts of a DID's page, as its URL names them; a file has no contents, and a collection no replicas of its own. */
export const DID_TABS = ["contents", "copies", "rules", "metadata", "provenance", "history"] as const;
export type DidTab = (typeof DID_TABS)[number];

/** The parts of the page of a DID of a kind; the first is shown when the URL names none. */
export function tabsOf(kind: string): DidTab[] {
  return DID_TABS.filter((one) => one !== (kind === "file" ? "contents" : "copies"));
}
