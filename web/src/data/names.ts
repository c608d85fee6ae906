/** What files of a computer are to be called in the catalogue. */

const UNFIT = /[^A-Za-z0-9_.+-]+/g;

/** The name of a file as a part of a DID: what DIDs do not take becomes a line. */
export function fitName(name: string): string {
  return (
    name
      .normalize("NFKC")
      .replace(UNFIT, "_")
      .replace(/^[._]+/, "") || "file"
  );
}

/** The DID of a file below a scope and a folder. */
export function didFor(scope: string, folder: string, name: string): string {
  const below = folder
    .split("/")
    .filter((one) => one !== "" && one !== "." && one !== "..")
    .join("/");
  return `${scope}:${below === "" ? "" : `${below}/`}${fitName(name)}`;
}
