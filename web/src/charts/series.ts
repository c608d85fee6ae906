/** Sums of the ledger as curves: a value for each day and each name, and the same as a table. */
import type { Schemas } from "../api/client";
import type { Measure, Split } from "../operations/tabs";

export type Sum = Schemas["SumOut"];
export type Curves = { days: string[]; names: string[]; values: number[][] };

const DAY = 86_400_000;
/** More curves than this cannot be told from each other. */
const MOST = 7;

/** Values by name, the greatest first, over all days up to `until`; what is beyond the greatest goes by one name. */
export function curvesOf(
  sums: readonly Sum[],
  asked: { by: Split; measure: Measure; days: number; until: number; none: string; others: string },
): Curves {
  const last = Math.floor(asked.until / DAY);
  const first = last - asked.days + 1;
  const totals = new Map<string, number>();
  for (const one of sums) {
    const name = one[asked.by] ?? asked.none;
    totals.set(name, (totals.get(name) ?? 0) + one[asked.measure]);
  }
  const ranked = [...totals].filter(([, total]) => total > 0).sort((a, b) => b[1] - a[1]);
  const kept = ranked.slice(0, ranked.length > MOST + 1 ? MOST : ranked.length).map(([name]) => name);
  const names = kept.length < ranked.length ? [...kept, asked.others] : kept;
  const values = names.map(() => new Array<number>(asked.days).fill(0));
  for (const one of sums) {
    if (one.day === null) continue;
    const day = Math.floor(Date.parse(one.day) / DAY) - first;
    const at = kept.indexOf(one[asked.by] ?? asked.none);
    const curve = values[at >= 0 ? at : names.length - 1];
    if (curve !== undefined && day >= 0 && day < asked.days)
      curve[day] = (curve[day] ?? 0) + one[asked.measure];
  }
  const days = Array.from({ length: asked.days }, (_, n) =>
    new Date((first + n) * DAY).toISOString().slice(0, 10),
  );
  return { days, names, values };
}

/** Each curve upon those before it, so that the last one shows the sum. */
export function stacked(values: readonly number[][]): number[][] {
  let below: number[] = [];
  return values.map((curve) => {
    below = curve.map((value, n) => value + (below[n] ?? 0));
    return below;
  });
}

/** A table of the curves for spreadsheets (RFC 4180); a name that a spreadsheet would compute is made a text. */
export function csvOf({ days, names, values }: Curves): string {
  const rows = days.map((day, n) => [day, ...values.map((curve) => String(curve[n] ?? 0))]);
  return [["day", ...names.map(plain)], ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

const plain = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
