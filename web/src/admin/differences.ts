/** What has changed between two documents, field by field. */
export type Difference = { path: string; before: string | undefined; after: string | undefined };

/** Fields that differ, in order of their names; what is in both is left out. */
export function differences(before: unknown, after: unknown): Difference[] {
  const was = fields(before);
  const is = fields(after);
  const paths = [...new Set([...was.keys(), ...is.keys()])].sort();
  return paths
    .map((path) => ({ path, before: was.get(path), after: is.get(path) }))
    .filter((one) => one.before !== one.after);
}

function fields(document: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    // Lists are told whole: what stands at which place in one means little.
    if (
      value !== null &&
      typeof value === "object" &&
      !Array.isArray(value) &&
      Object.keys(value).length > 0
    ) {
      for (const [name, inner] of Object.entries(value)) walk(inner, path === "" ? name : `${path}.${name}`);
    } else if (path !== "") {
      found.set(path, JSON.stringify(value));
    }
  };
  walk(document, "");
  return found;
}
