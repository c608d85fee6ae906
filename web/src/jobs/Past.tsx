import { t } from "../i18n";
import { Text } from "../kit/Text";
import { bytes } from "../kit/text";
import { duration, moment } from "../kit/time";
import type { JobDetail } from "./queries";
import { StateBadge } from "./StateBadge";

/** The attempts at a job, each on a pilot. */
export function Attempts({ job }: { job: JobDetail }) {
  if (job.attempt_list.length === 0) return <p className="quiet">{t("job.noAttempts")}</p>;
  return (
    <div className="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">{t("job.attempt")}</th>
            <th scope="col">{t("jobs.col.state")}</th>
            <th scope="col">{t("jobs.col.site")}</th>
            <th scope="col">{t("job.pilot")}</th>
            <th scope="col">{t("job.began")}</th>
            <th scope="col">{t("job.took")}</th>
            <th scope="col">{t("job.memory")}</th>
            <th scope="col">{t("job.exit")}</th>
            <th scope="col">{t("job.detail")}</th>
          </tr>
        </thead>
        <tbody>
          {job.attempt_list.map((one) => (
            <tr key={one.attempt_id}>
              <td>{one.number}</td>
              <td>
                <StateBadge state={one.state} />
              </td>
              <td>
                <Text longest={60}>{one.site}</Text>
              </td>
              <td>{one.pilot_id}</td>
              <td>{moment(one.started_at)}</td>
              <td>{one.wall === null ? t("common.none") : duration(one.wall)}</td>
              <td>{one.max_memory === null ? t("common.none") : bytes(one.max_memory)}</td>
              <td>{one.exit_code ?? t("common.none")}</td>
              <td>{one.detail === null ? t("common.none") : <Text>{one.detail}</Text>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What became of a job, the newest last. */
export function History({ job }: { job: JobDetail }) {
  return (
    <ol className="history">
      {job.history.map((one) => (
        <li key={`${one.at} ${one.state} ${one.source ?? ""} ${one.minor ?? ""} ${one.application ?? ""}`}>
          <time dateTime={one.at}>{moment(one.at)}</time>
          <StateBadge state={one.state} />
          <span className="quiet">
            {one.site !== null && <Text longest={60}>{one.site}</Text>}{" "}
            {[one.detail, one.minor, one.application]
              .filter((text) => text !== null && text !== undefined)
              .map((text) => (
                <Text key={text}>{text}</Text>
              ))}
          </span>
        </li>
      ))}
    </ol>
  );
}
