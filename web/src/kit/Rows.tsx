import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useNarrow } from "./useNarrow";

const ROW = 38;
const CARD = 62;

/** A column: its width as a track of the grid, and where it stands when the screen is narrow (absent: nowhere). */
export type Column<T> = {
  key: string;
  label: ReactNode;
  width: string;
  show: (row: T) => ReactNode;
  narrow?: "main" | "side" | "below";
  /** It is there on a narrow screen alone. */
  only?: "narrow";
  align?: "end" | "centre";
};

type Props<T> = {
  label: string;
  rows: T[];
  columns: Column<T>[];
  keyOf: (row: T) => string;
  /** Whether there are more than these; `onEnd` is called when they are wanted. */
  more: boolean;
  onEnd: () => void;
};

/** Rows of any number, of which only those in sight are there; on a narrow screen each is a card of two lines. */
export function Rows<T>({ label, rows, columns: all, keyOf, more, onEnd }: Props<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  const narrow = useNarrow();
  const columns = all.filter((one) => (narrow ? one.narrow !== undefined : one.only !== "narrow"));
  const [margin, setMargin] = useState(0);
  // What stands above the rows comes and goes.
  useLayoutEffect(() => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    setMargin(Math.round(top + window.scrollY));
  });
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => (narrow ? CARD : ROW),
    overscan: 12,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are looked at anew when the form of rows changes
  useEffect(() => virtual.measure(), [narrow]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 40) onEnd();
  }, [last, rows.length, more, onEnd]);
  const tracks = { "--tracks": columns.map((one) => one.width).join(" ") } as Record<string, string>;
  return (
    <div className="lines-box">
      <table aria-label={label} aria-rowcount={more ? -1 : rows.length + 1} className="lines" style={tracks}>
        <thead>
          <tr className="line head" aria-rowindex={1}>
            {columns.map((one) => (
              <th scope="col" key={one.key} className={classOf(one)}>
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody ref={body} className="rows" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <tr
                key={keyOf(row)}
                aria-rowindex={item.index + 2}
                className="line"
                style={{ height: item.size, transform: `translateY(${item.start - margin}px)` }}
              >
                {columns.map((one) => (
                  <td key={one.key} className={classOf(one)}>
                    {one.show(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function classOf<T>(column: Column<T>): string {
  return `${column.narrow ?? "wide"}${column.align === undefined ? "" : ` ${column.align}`}`;
}
