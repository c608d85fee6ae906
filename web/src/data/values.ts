/** Values of metadata as people write them, and as the server takes them. */
import type { MetadataKey } from "./queries";

/** A value as it stands in a field. */
export function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(String).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What a field says, for the server: it reads numbers, times and lists out of text; an empty one takes the key away. */
export function sent(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

/** What a key takes, in words: its kind, its bounds, its unit. */
export function takes(key: MetadataKey): string {
  const bounds =
    key.minimum === null && key.maximum === null ? "" : ` ${key.minimum ?? "…"} – ${key.maximum ?? "…"}`;
  const unit = key.unit === null ? "" : ` ${key.unit}`;
  return `${key.kind}${bounds}${unit}`;
}

/** The words that a field chooses among, if it chooses: of a vocabulary, or yes and no. */
export function choices(key: MetadataKey): string[] | undefined {
  if (key.kind === "boolean") return ["true", "false"];
  return key.kind === "text" ? (key.vocabulary ?? undefined) : undefined;
}
