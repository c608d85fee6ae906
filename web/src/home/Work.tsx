import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { number, t } from "../i18n";
import type { JobSearch, State } from "../jobs/search";
import { Empty } from "../kit/Empty";
import { Trouble } from "../kit/Trouble";
import { byState, yesterday } from "./queries";

const RUNNING: State[] = ["matched", "running", "completing"];
const WAITING: State[] = ["pending", "waiting", "held"];

/** How many of my jobs run, wait, have failed and are done; each number leads to those jobs. */
export function Work({ account }: { account: string }) {
  const since = yesterday();
  const all = useQuery(byState(account));
  const late = useQuery(byState(account, since));
  const error = all.error ?? late.error;
  if (error !== null) return <Trouble error={error} onRetry={() => void all.refetch()} />;
  if (all.data !== undefined && all.data.size === 0) {
    return (
      <Empty title={t("jobs.emptyTitle")}>
        <p>{t("jobs.empty")}</p>
        <Link to="/submit" className="button primary">
          {t("nav.submit")}
        </Link>
      </Empty>
    );
  }
  const where = `changed_at > ${since}`;
  const tiles: { name: string; look: string; states: State[]; counts: typeof all.data; search: JobSearch }[] =
    [
      { name: t("home.running"), look: "running", states: RUNNING, counts: all.data, search: {} },
      { name: t("home.waiting"), look: "waiting", states: WAITING, counts: all.data, search: {} },
      { name: t("home.failed"), look: "failed", states: ["failed"], counts: late.data, search: { where } },
      { name: t("home.done"), look: "done", states: ["done"], counts: late.data, search: { where } },
    ];
  return (
    <ul className="tiles" aria-label={t("home.work")}>
      {tiles.map(({ name, look, states, counts, search }) => (
        <li key={look}>
          <Link
            to="/jobs"
            search={{ ...search, owner: account, state: states }}
            className={sum(counts, states) > 0 ? `tile ${look}` : "tile none"}
          >
            <b>{counts === undefined ? "…" : number(sum(counts, states))}</b>
            <span>{name}</span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

function sum(counts: Map<string, number> | undefined, states: readonly string[]): number {
  return states.reduce((total, state) => total + (counts?.get(state) ?? 0), 0);
}
