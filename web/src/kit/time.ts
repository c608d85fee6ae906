import { t } from "../i18n";

const UNITS: [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** Seconds as people say them, with two units at most: `2 h 5 min`. */
export function duration(seconds: number): string {
  let left = Math.max(0, Math.round(seconds));
  if (left === 0) return "0 s";
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0) parts.push(`${n} ${name}`);
    if (parts.length === 2 || (parts.length > 0 && n === 0)) break;
  }
  return parts.join(" ");
}

/** How long ago a moment was. */
export function ago(at: string, now: number = Date.now()): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (seconds < 15) return t("common.now");
  return t("common.ago", { time: duration(seconds < 60 ? seconds : seconds - (seconds % 60)) });
}

const moments = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
/** A moment in full, in the time of this place. */
export const moment = (at: string): string => moments.format(new Date(at));
