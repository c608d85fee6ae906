import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { number, t } from "../i18n";
import { jobsInWords } from "../jobs/actions";
import { quoted } from "../jobs/search";
import { Moment } from "../kit/Moment";
import { PageLink } from "../kit/PageLink";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { dataPath } from "../shell/finding";
import { byState, failures, newest, yesterday } from "./queries";

const SHOWN = 5;

/** What is new since the beginning of yesterday. */
export function Changes({ account }: { account: string }) {
  const since = yesterday();
  const counts = useQuery(byState(account, since));
  const why = useQuery(failures(account, since));
  const sets = useQuery(newest);
  const made = sets.data?.filter((one) => one.created_at >= since) ?? [];
  const error = counts.error ?? why.error ?? sets.error;
  const moved = [...(counts.data?.values() ?? [])].reduce((sum, one) => sum + one, 0);
  const settled = counts.isSuccess && why.isSuccess && sets.isSuccess;
  return (
    <Panel title={t("home.changes")}>
      {error !== null && <Trouble error={error} />}
      {settled && moved === 0 && made.length === 0 && <p className="quiet">{t("home.noChanges")}</p>}
      <ul className="lines">
        {moved > 0 && (
          <li>
            <Link to="/jobs" search={{ owner: account, where: `changed_at > ${since}`, sort: "-changed_at" }}>
              {t("home.moved", { jobs: jobsInWords(moved) })}
            </Link>
          </li>
        )}
        {why.data?.map(({ error: reason, count }) => (
          <li key={reason ?? ""}>
            <Link
              to="/jobs"
              search={{
                owner: account,
                state: ["failed"],
                where: `changed_at > ${since}${reason === null ? "" : ` & error = ${quoted(reason)}`}`,
              }}
            >
              {t("home.failedBy", { jobs: jobsInWords(count) })}
            </Link>{" "}
            <code>{reason === null ? t("home.noReason") : <Text longest={60}>{reason}</Text>}</code>
          </li>
        ))}
        {made.slice(0, SHOWN).map((one) => (
          <li key={`${one.scope}:${one.name}`}>
            <span className="quiet">{t("home.newSet")}</span>{" "}
            <PageLink to={dataPath(`${one.scope}:${one.name}`)}>
              <Text longest={80}>{`${one.scope}:${one.name}`}</Text>
            </PageLink>{" "}
            <span className="quiet">
              <Moment at={one.created_at} />
            </span>
          </li>
        ))}
        {made.length > SHOWN && (
          <li className="quiet">{t("home.moreSets", { count: number(made.length - SHOWN) })}</li>
        )}
      </ul>
    </Panel>
  );
}
