import { useEffect, useId, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { t } from "../i18n";
import { shown } from "../kit/text";
import { save } from "./saving";
import { type Curves, csvOf, stacked } from "./series";

type Props = {
  curves: Curves;
  /** What the picture shows, in words. */
  label: string;
  format: (value: number) => string;
  /** `bars` are upon each other, one bar a day; a `line` is for itself. */
  form: "bars" | "line";
  /** What files are called that are saved of it. */
  file: string;
};

const HEIGHT = 280;
/** Half a day: bars at the edges are whole. */
const HALF = 43_200;

/** Curves over days, with their names, their sums, the table behind them, and both as files. */
export function Chart({ curves, label, format, form, file }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const names = useRef<HTMLUListElement>(null);
  const plot = useRef<uPlot>(null);
  const [at, setAt] = useState<number | null>(null);
  const look = useLook();
  const list = useId();
  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read anew when the look changes
  useEffect(() => {
    const box = place.current;
    if (box === null || curves.days.length === 0) return;
    const swatches = [...(names.current?.querySelectorAll("i") ?? [])];
    const colours = swatches.map((one) => getComputedStyle(one).backgroundColor);
    const made = new uPlot(options(box, colours, format, form, setAt), data(curves, form), box);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: box.clientWidth, height: HEIGHT }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      made.destroy();
    };
  }, [curves, format, form, look]);
  const picture = () => {
    const canvas = plot.current?.ctx.canvas;
    const box = place.current;
    if (canvas !== undefined && box !== null) save.picture(`${file}.png`, canvas, box, label);
  };
  return (
    <figure className="chart">
      <div ref={place} role="img" aria-label={label} aria-describedby={list} />
      <figcaption>
        <span className="quiet">{at === null ? t("chart.sum") : curves.days[at]}</span>
        <ul ref={names} id={list} className="legend">
          {curves.names.map((name, n) => {
            const curve = curves.values[n] ?? [];
            const value = at === null ? curve.reduce((sum, one) => sum + one, 0) : (curve[at] ?? 0);
            return (
              <li key={name}>
                <i className={`swatch c${n % 8}`} />
                <bdi>{shown(name, 60)}</bdi>{" "}
                <b className="value">{form === "line" && at === null ? "" : format(value)}</b>
              </li>
            );
          })}
        </ul>
        <div className="buttons">
          <button
            type="button"
            className="button small"
            onClick={() => save.text(`${file}.csv`, csvOf(curves))}
          >
            {t("chart.csv")}
          </button>
          <button type="button" className="button small" onClick={picture}>
            {t("chart.png")}
          </button>
        </div>
      </figcaption>
    </figure>
  );
}

function data({ days, values }: Curves, form: Props["form"]): uPlot.AlignedData {
  const times = days.map((day) => Date.parse(day) / 1000);
  // The highest is drawn first, and what stands before it covers its lower part.
  return [times, ...(form === "bars" ? stacked(values).reverse() : values)];
}

function options(
  box: HTMLElement,
  colours: string[],
  format: (value: number) => string,
  form: Props["form"],
  onDay: (at: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(box);
  const ink = style.color;
  const line = style.borderBottomColor;
  const axis = {
    stroke: ink,
    font: `12px ${style.fontFamily}`,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars?.({ size: [0.8, 60], align: 0 });
  const ordered = form === "bars" ? [...colours].reverse() : colours;
  return {
    width: box.clientWidth,
    height: HEIGHT,
    tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "UTC"),
    legend: { show: false },
    cursor: { points: { show: form === "line" }, drag: { x: false, y: false } },
    scales: {
      x: { range: (_plot, first, last) => (form === "bars" ? [first - HALF, last + HALF] : [first, last]) },
      y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, values: (_plot, splits) => splits.map(dayOf) },
      { ...axis, size: 80, incrs: WHOLE, values: (_plot, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...ordered.map((colour) =>
        form === "bars" && bars !== undefined
          ? { fill: colour, stroke: colour, width: 0, paths: bars, points: { show: false } }
          : { stroke: colour, width: 2, points: { show: false } },
      ),
    ],
    hooks: { setCursor: [(plot) => onDay(plot.cursor.idx ?? null)] },
  };
}

const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const dayOf = (time: number): string => (time % 86_400 === 0 ? days.format(new Date(time * 1000)) : "");

/** Steps of the upright axis: what is counted is counted whole. */
const WHOLE = Array.from({ length: 16 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();

/** Changes whenever the colours of the page do. */
function useLook(): number {
  const [look, setLook] = useState(0);
  useEffect(() => {
    const change = () => setLook((now) => now + 1);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const watch = new MutationObserver(change);
    watch.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    dark.addEventListener("change", change);
    return () => {
      watch.disconnect();
      dark.removeEventListener("change", change);
    };
  }, []);
  return look;
}
