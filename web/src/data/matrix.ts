/** Files and storages as a matrix: which RSEs are its columns. */
import type { Copy } from "./queries";

/** So many columns are shown; what is beyond them stands in one more. */
export const MOST_RSES = 10;

/** The RSEs of these files, those that have most of them first. */
export function rsesOf(files: { copies: Copy[] }[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files)
    for (const one of file.copies) counts.set(one.rse, (counts.get(one.rse) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([rse]) => rse);
}

/** Of how many of these files an RSE has a replica that is there. */
export function have(files: { copies: Copy[] }[], rse: string): number {
  return files.filter((file) => file.copies.some((one) => one.rse === rse && one.state === "available"))
    .length;
}
