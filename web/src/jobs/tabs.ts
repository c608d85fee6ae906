/** The parts of a job's page, as its URL names them. */
export const TABS = ["overview", "log", "files", "attempts", "history", "description"] as const;
export type Tab = (typeof TABS)[number];
