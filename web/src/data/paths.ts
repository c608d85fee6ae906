/** Paths of the catalogue, `/VO/SCOPE/NAME`, and the parts that lead to them. */

export type Crumb = { name: string; path: string };

/** The directories from the root of a VO down to a path. */
export function crumbs(path: string): Crumb[] {
  const parts = path.split("/").filter((one) => one !== "");
  return parts.map((name, n) => ({ name, path: `/${parts.slice(0, n + 1).join("/")}/` }));
}

/** The last part of a path. */
export const lastOf = (path: string): string => crumbs(path).at(-1)?.name ?? path;

/** The directory in which a DID lies. */
export function folderOf(vo: string, did: string): string {
  const at = did.indexOf(":");
  const parts = [
    vo,
    did.slice(0, at),
    ...did
      .slice(at + 1)
      .split("/")
      .slice(0, -1),
  ];
  return `/${parts.join("/")}/`;
}
