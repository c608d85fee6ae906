import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Panels } from "../extensions/Panels";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { Actions } from "./Actions";
import { Explained } from "./Explained";
import { Files } from "./Files";
import { Log } from "./Log";
import { Overview } from "./Overview";
import { Attempts, History } from "./Past";
import { type JobDetail, job } from "./queries";
import { StateBadge } from "./StateBadge";
import { TABS, type Tab } from "./tabs";
import { useNews } from "./useNews";

const route = getRouteApi("/jobs/$id");

/** Everything about one job. */
export function JobPage() {
  const id = Number(route.useParams().id);
  const subject = useMemo(() => ({ job_id: id }), [id]);
  const cache = useQueryClient();
  const { data, error, refetch } = useQuery(job(id));
  useNews(true, (news) => {
    if (news === undefined || news.more || news.job_ids.includes(id)) {
      void cache.invalidateQueries({ queryKey: ["job", id] });
    }
  });
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={refetch} />
    );
  }
  return (
    <div className="page">
      <p className="crumb">
        <Link to="/jobs">{t("job.back")}</Link>
      </p>
      <div className="spread">
        <h1>
          {t("job.title", { id })} <StateBadge state={data.state} />
          <span className="count">
            <Text longest={120}>{data.name}</Text>
          </span>
        </h1>
        <Actions jobs={[data]} />
      </div>
      {error !== null && <Trouble error={error} onRetry={refetch} />}
      <Explained job={data} />
      <Parts job={data} />
      <Panels place="job" subject={subject} />
    </div>
  );
}

function Parts({ job: shown }: { job: JobDetail }) {
  const { tab = "overview" } = route.useSearch();
  return (
    <>
      <nav className="tabs" aria-label={t("job.tabs")}>
        {TABS.map((one) => (
          <Link
            key={one}
            to="/jobs/$id"
            params={{ id: String(shown.job_id) }}
            search={one === "overview" ? {} : { tab: one }}
            aria-current={one === tab ? "page" : undefined}
            className={one === tab ? "tab current" : "tab"}
            resetScroll={false}
          >
            {t(`job.tab.${one}`)}
          </Link>
        ))}
      </nav>
      <section aria-label={t(`job.tab.${tab}`)} className="part">
        <Part job={shown} tab={tab} />
      </section>
    </>
  );
}

function Part({ job: shown, tab }: { job: JobDetail; tab: Tab }) {
  switch (tab) {
    case "overview":
      return <Overview job={shown} />;
    case "log":
      return <Log job={shown} />;
    case "files":
      return <Files job={shown} />;
    case "attempts":
      return <Attempts job={shown} />;
    case "history":
      return <History job={shown} />;
    case "description":
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
      return <pre tabIndex={0}>{JSON.stringify(shown.description, null, 2)}</pre>;
  }
}
