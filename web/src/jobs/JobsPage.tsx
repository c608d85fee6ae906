import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { number, t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Trouble } from "../kit/Trouble";
import { Actions } from "./Actions";
import { AllFound } from "./AllFound";
import { Chips } from "./Chips";
import { JobTable } from "./JobTable";
import { counts, jobPages, me } from "./queries";
import { SearchBar } from "./SearchBar";
import { cleared, isNarrow, type JobSearch, STATES } from "./search";
import { useNews } from "./useNews";

const route = getRouteApi("/jobs");
/** With more pages than this, what is loaded is not read anew by itself: the reader says when. */
const PAGES = 2;

/** The list of jobs: what the URL says of it is all there is to share. */
export function JobsPage() {
  const { data, error, refetch } = useQuery(me);
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={refetch} />
    );
  }
  return <Whose me={data.account} />;
}

/** Has the URL say whose jobs these are, before any are shown. */
function Whose({ me: account }: { me: string }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const open = search.owner === undefined && search.everybody !== true;
  useEffect(() => {
    if (open) void navigate({ search: (before) => ({ ...before, owner: account }), replace: true });
  }, [open, account, navigate]);
  return open ? null : <Jobs me={account} />;
}

function Jobs({ me: account }: { me: string }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const cache = useQueryClient();
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [stale, setStale] = useState(false);
  const pages = useInfiniteQuery(jobPages(search));
  const jobs = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const change = useCallback(
    (next: JobSearch) => {
      setSelected(new Set());
      void navigate({ search: next });
    },
    [navigate],
  );
  const refresh = useCallback(() => {
    setStale(false);
    void cache.invalidateQueries({ queryKey: ["jobs"] });
  }, [cache]);
  const restart = () => {
    setStale(false);
    window.scrollTo(0, 0);
    void cache.resetQueries({ queryKey: ["jobs", "list"] });
    void cache.invalidateQueries({ queryKey: ["jobs", "summary"] });
  };
  useNews(search.owner !== account, () => {
    const loaded = cache.getQueryData(jobPages(search).queryKey)?.pages.length ?? 0;
    if (loaded > PAGES) setStale(true);
    else refresh();
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <div className="page">
      <div className="spread">
        <h1>
          {t("jobs.title")} <Found search={search} />
        </h1>
        <Link to="/submit" className="button primary">
          {t("nav.submit")}
        </Link>
      </div>
      <SearchBar key={`${search.where} ${search.columns}`} search={search} me={account} onChange={change} />
      <Chips search={search} onChange={change} />
      {stale && (
        <p role="status" className="banner">
          {t("jobs.changed")}{" "}
          <button type="button" className="button" onClick={restart}>
            {t("jobs.refresh")}
          </button>
        </p>
      )}
      {selected.size > 0 && (
        <div className="bulk">
          <span>{t("jobs.selected", { count: number(selected.size) })}</span>
          <Actions
            jobs={jobs.filter((one) => selected.has(one.job_id))}
            onDone={() => setSelected(new Set())}
          />
          {selected.size === jobs.length && (
            <AllFound search={search} onDone={() => setSelected(new Set())} />
          )}
        </div>
      )}
      {pages.error !== null && <Trouble error={pages.error} onRetry={refresh} />}
      {jobs.length > 0 && (
        <JobTable
          jobs={jobs}
          search={search}
          selected={selected}
          onSelect={setSelected}
          onSort={change}
          onEnd={more}
        />
      )}
      {isFetchingNextPage && <p className="waiting">{t("jobs.more")}</p>}
      {pages.isPending && <p className="waiting">{t("common.loading")}</p>}
      {pages.isSuccess && jobs.length === 0 && <Nothing search={search} onChange={change} />}
    </div>
  );
}

function Found({ search }: { search: JobSearch }) {
  const { data } = useQuery(counts(search, "state"));
  if (data === undefined) return null;
  const wanted: readonly string[] = search.state ?? STATES;
  const count = data
    .filter((one) => one.value !== null && wanted.includes(one.value))
    .reduce((sum, one) => sum + one.count, 0);
  return (
    <span className="count" role="status">
      {count === 1 ? t("jobs.foundOne") : t("jobs.found", { count: number(count) })}
    </span>
  );
}

function Nothing({ search, onChange }: { search: JobSearch; onChange: (search: JobSearch) => void }) {
  if (!isNarrow(search)) {
    return (
      <Empty title={t("jobs.emptyTitle")}>
        <p>{t("jobs.empty")}</p>
        <Link to="/submit" className="button primary">
          {t("nav.submit")}
        </Link>
      </Empty>
    );
  }
  return (
    <Empty title={t("jobs.emptyFilteredTitle")}>
      <p>{t("jobs.emptyFiltered")}</p>
      <button type="button" className="button" onClick={() => onChange(cleared(search))}>
        {t("jobs.clear")}
      </button>
    </Empty>
  );
}
