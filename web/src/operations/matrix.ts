/** Transfers between RSEs, put together of what has arrived and what is under way or has failed. */
export type Arrived = { source: string | null; rse: string | null; files: number; size: number };
export type Now = { source: string; rse: string; active: number; failed: number; error: string | null };
export type Link = {
  source: string;
  rse: string;
  files: number;
  size: number;
  active: number;
  failed: number;
  error: string | null;
};
export type Matrix = { sources: string[]; rses: string[]; links: Link[]; at: Map<string, Link> };

/** Where a link stands in a matrix. */
export const key = (source: string, rse: string): string => `${source}\n${rse}`;

/** All links on which something happened. */
export function matrixOf(arrived: readonly Arrived[], now: readonly Now[]): Matrix {
  const at = new Map<string, Link>();
  const link = (source: string, rse: string): Link => {
    const known = at.get(key(source, rse));
    if (known !== undefined) return known;
    const made = { source, rse, files: 0, size: 0, active: 0, failed: 0, error: null };
    at.set(key(source, rse), made);
    return made;
  };
  for (const one of arrived) {
    if (one.source === null || one.rse === null) continue;
    const found = link(one.source, one.rse);
    found.files += one.files;
    found.size += one.size;
  }
  for (const one of now) {
    const found = link(one.source, one.rse);
    found.active += one.active;
    found.failed += one.failed;
    found.error = one.error ?? found.error;
  }
  const links = [...at.values()];
  const names = (of: (one: Link) => string) => [...new Set(links.map(of))].sort();
  return { sources: names((one) => one.source), rses: names((one) => one.rse), links, at };
}

/** How a link fares: what part of its attempts failed. */
export function health(link: Link): "fine" | "poor" | "bad" {
  const ended = link.files + link.failed;
  const part = ended === 0 ? 0 : link.failed / ended;
  return part >= 0.5 ? "bad" : part >= 0.05 ? "poor" : "fine";
}
