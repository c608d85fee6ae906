/** What somebody who types into the search box may mean. */
export type Meant =
  | { kind: "number"; id: number }
  | { kind: "did"; scope: string; name: string }
  | { kind: "path"; path: string }
  | { kind: "word"; word: string };

const LONGEST_ID = 2 ** 53;

/** What a text may mean, the likeliest first; nothing for no text. */
export function meant(text: string): Meant[] {
  const word = text.trim().slice(0, 250);
  if (word === "") return [];
  if (/^#?\d+$/.test(word)) {
    const id = Number(word.replace("#", ""));
    const rest: Meant[] = word.startsWith("#") ? [] : [{ kind: "word", word }];
    return id > 0 && id < LONGEST_ID ? [{ kind: "number", id }, ...rest] : rest;
  }
  if (word.startsWith("/")) return [{ kind: "path", path: word }];
  const colon = word.indexOf(":");
  if (colon > 0) return [{ kind: "did", scope: word.slice(0, colon), name: word.slice(colon + 1) }];
  return [{ kind: "word", word }];
}

/** The page of a DID, below `/ui`. */
export const dataPath = (did: string): string => `/data/did?did=${encodeURIComponent(did)}`;
