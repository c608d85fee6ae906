/**
 * Names and messages come from strangers. React escapes them; what is left is text that reorders or hides its
 * neighbours (bidi controls, zero width) or that fills the page.
 */
const HIDDEN = /(?![\n\t])[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** A text that shows what is in it: what would be invisible or turn its neighbours round becomes a mark. */
export function shown(text: string, longest = 400): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut.replace(HIDDEN, "\ufffd");
}

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];
/** Bytes as people say them. */
export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < SIZES.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${SIZES[unit]}`;
}
