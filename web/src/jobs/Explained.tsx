import { useQuery } from "@tanstack/react-query";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { moment } from "../kit/time";
import { explanation, type JobDetail } from "./queries";

const SILENT = ["done"];

/** Why a job is as it is: what stands in its way, and what would help. */
export function Explained({ job }: { job: JobDetail }) {
  const { data, error, refetch } = useQuery({
    ...explanation(job.job_id, job.state),
    enabled: !SILENT.includes(job.state),
  });
  if (error !== null) return <Trouble error={error} onRetry={refetch} />;
  if (data === undefined) return null;
  const start = data.expected_start;
  // The first blocker is often what was said already: then its hint alone is news.
  const blockers = data.blockers.filter((one) => one.says !== data.says || one.hint !== null);
  return (
    <section className="card why" aria-labelledby="why">
      <h2 id="why">{t("job.why")}</h2>
      <p>
        <Text longest={1000}>{data.says}</Text>
      </p>
      {blockers.length > 0 && (
        <ul>
          {blockers.map((one) => (
            <li key={`${one.cause} ${one.says}`}>
              {one.says !== data.says && <Text longest={1000}>{one.says}</Text>}
              {one.hint !== null && (
                <span className="quiet">
                  {one.says !== data.says && " "}
                  <Text longest={600}>{one.hint}</Text>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {data.would.length > 0 && (
        <>
          <h3>{t("job.would")}</h3>
          <ul>
            {data.would.map((one) => (
              <li key={`${one.ce} ${one.says}`}>
                <Text longest={1000}>{one.says}</Text>
              </li>
            ))}
          </ul>
        </>
      )}
      {start !== null && (
        <p className="quiet">
          {t("job.start")}:{" "}
          {start.earliest !== null && start.latest !== null
            ? t("job.startBetween", { from: moment(start.earliest), to: moment(start.latest) })
            : ""}{" "}
          <Text longest={600}>{start.says}</Text>
        </p>
      )}
    </section>
  );
}
