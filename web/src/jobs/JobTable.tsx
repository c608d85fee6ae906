import { Link } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { Moment } from "../kit/Moment";
import { Text } from "../kit/Text";
import { useNarrow } from "../kit/useNarrow";
import type { Job } from "./queries";
import { StateBadge } from "./StateBadge";
import { type JobSearch, type SortField, sortedBy } from "./search";

const ROW = 40;
const CARD = 76;

type Props = {
  jobs: Job[];
  search: JobSearch;
  selected: ReadonlySet<number>;
  onSelect: (ids: ReadonlySet<number>) => void;
  onSort: (search: JobSearch) => void;
  onEnd: () => void;
};

/** Jobs in rows of which only those in sight are there; on a narrow screen each row is a card of two lines. */
export function JobTable({ jobs, search, selected, onSelect, onSort, onEnd }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const narrow = useNarrow();
  const [margin, setMargin] = useState(0);
  // What stands above the rows comes and goes.
  useLayoutEffect(() => {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    setMargin(Math.round(top + window.scrollY));
  });
  const rows = useWindowVirtualizer({
    count: jobs.length,
    estimateSize: () => (narrow ? CARD : ROW),
    overscan: 12,
    scrollMargin: margin,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: sizes are looked at anew when the form of rows changes
  useEffect(() => rows.measure(), [narrow]);
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (jobs.length > 0 && last >= jobs.length - 40) onEnd();
  }, [last, jobs.length, onEnd]);
  const toggle = (id: number) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  const all = jobs.length > 0 && selected.size >= jobs.length;
  const columns = search.columns ?? [];
  return (
    <table aria-label={t("jobs.table")} aria-rowcount={jobs.length + 1} className="table">
      <thead>
        <tr className="row head" aria-rowindex={1}>
          <th scope="col">
            <input
              type="checkbox"
              aria-label={t("jobs.selectAll")}
              checked={all}
              onChange={() => onSelect(new Set(all ? [] : jobs.map((one) => one.job_id)))}
            />
          </th>
          <Head field="id" label={t("jobs.col.id")} search={search} onSort={onSort} />
          <th scope="col">{t("jobs.col.name")}</th>
          <th scope="col">{t("jobs.col.state")}</th>
          <th scope="col">{t("jobs.col.site")}</th>
          <th scope="col">{t("jobs.col.account")}</th>
          <Head field="submitted_at" label={t("jobs.col.submitted")} search={search} onSort={onSort} />
          <Head field="changed_at" label={t("jobs.col.changed")} search={search} onSort={onSort} />
          {columns.map((name) => (
            <th scope="col" key={name} className="extra">
              <Text longest={30}>{name}</Text>
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body} className="rows" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const one = jobs[item.index];
          if (one === undefined) return null;
          return (
            <tr
              key={one.job_id}
              aria-rowindex={item.index + 2}
              className={selected.has(one.job_id) ? "row chosen" : "row"}
              style={{
                height: item.size,
                transform: `translateY(${item.start - margin}px)`,
              }}
            >
              <Cells job={one} columns={columns} chosen={selected.has(one.job_id)} onToggle={toggle} />
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

type CellsProps = { job: Job; columns: string[]; chosen: boolean; onToggle: (id: number) => void };

function Cells({ job, columns, chosen, onToggle }: CellsProps) {
  const id = job.job_id;
  return (
    <>
      <td className="check">
        <input
          type="checkbox"
          aria-label={t("jobs.select", { id })}
          checked={chosen}
          onChange={() => onToggle(id)}
        />
      </td>
      <td className="id">
        <Link to="/jobs/$id" params={{ id: String(id) }}>
          {id}
        </Link>
      </td>
      <td className="name">
        <Text longest={200}>{job.name}</Text>
      </td>
      <td className="in-state">
        <StateBadge state={job.state} />
      </td>
      <td className="site">
        {job.site === null ? (
          <span className="quiet">{t("common.none")}</span>
        ) : (
          <Text longest={60}>{job.site}</Text>
        )}
      </td>
      <td className="account">
        <Text longest={60}>{job.account}</Text>
      </td>
      <td className="submitted">
        <Moment at={job.submitted_at} />
      </td>
      <td className="changed">
        <Moment at={job.changed_at} />
      </td>
      {columns.map((name) => (
        <td key={name} className="extra">
          <Value value={job.values?.[name]} />
        </td>
      ))}
    </>
  );
}

function Value({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="quiet">{t("common.none")}</span>;
  return <Text longest={100}>{typeof value === "object" ? JSON.stringify(value) : String(value)}</Text>;
}

type HeadProps = { field: SortField; label: string; search: JobSearch; onSort: (search: JobSearch) => void };

function Head({ field, label, search, onSort }: HeadProps) {
  const sort = search.sort ?? "-id";
  const sorted = sort === field ? "ascending" : sort === `-${field}` ? "descending" : "none";
  return (
    <th scope="col" aria-sort={sorted}>
      <button type="button" className="sort" onClick={() => onSort(sortedBy(search, field))}>
        {label}
        <span aria-hidden="true">{sorted === "none" ? "" : sorted === "ascending" ? " ↑" : " ↓"}</span>
      </button>
    </th>
  );
}
