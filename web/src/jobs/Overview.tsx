import { Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { Fact } from "../kit/Fact";
import { Moment } from "../kit/Moment";
import { Text } from "../kit/Text";
import { bytes } from "../kit/text";
import { duration } from "../kit/time";
import type { JobDetail } from "./queries";

/** The facts of a job. */
export function Overview({ job }: { job: JobDetail }) {
  const command: unknown = job.description.command;
  const words = Array.isArray(command) ? command.map(String).join(" ") : "";
  const beat = job.heartbeat;
  return (
    <div className="columns">
      <dl className="facts card">
        <Fact name={t("job.command")}>
          <code>
            <Text longest={1000}>{words}</Text>
          </code>
        </Fact>
        <Fact name={t("job.owner")}>{job.account}</Fact>
        <Fact name={t("job.site")}>{job.site === null ? t("common.none") : <Text>{job.site}</Text>}</Fact>
        <Fact name={t("job.submitted")}>
          <Moment at={job.submitted_at} />
        </Fact>
        <Fact name={t("job.changed")}>
          <Moment at={job.changed_at} />
        </Fact>
        <Fact name={t("job.attempts")}>{job.attempts}</Fact>
        <Fact name={t("job.submission")}>
          <Link to="/jobs" search={{ where: `submission = ${job.submission_id}`, everybody: true }}>
            {job.submission_id}
          </Link>{" "}
          <span className="quiet">{t("job.number", { number: job.number })}</span>
        </Fact>
        {job.detail !== null && (
          <Fact name={t("job.detail")}>
            <Text longest={1000}>{job.detail}</Text>
          </Fact>
        )}
        {job.minor !== null && <Fact name={t("job.minor")}>{<Text>{job.minor.text}</Text>}</Fact>}
        {job.application !== null && (
          <Fact name={t("job.application")}>{<Text>{job.application.text}</Text>}</Fact>
        )}
        {beat !== null && (
          <Fact name={t("job.heartbeat")}>
            <Moment at={beat.at} />{" "}
            <span className="quiet">
              {beat.memory !== null && `${t("job.memory")} ${bytes(beat.memory)} `}
              {beat.cpu !== null && `${t("job.cpu")} ${duration(beat.cpu)}`}
            </span>
          </Fact>
        )}
        {job.after.jobs > 0 && (
          <Fact name={t("job.waitsFor")}>
            {t("job.waitsForCount", { awaited: job.after.awaited, jobs: job.after.jobs })}
          </Fact>
        )}
        {job.trace_id !== null && (
          <Fact name={t("job.trace")}>
            <code>{job.trace_id}</code>
          </Fact>
        )}
      </dl>
      <div className="card stack">
        <Values title={t("job.parameters")} values={job.parameters} none={t("job.noParameters")} />
        {Object.keys(job.said).length > 0 && <Values title={t("job.said")} values={job.said} none="" />}
      </div>
    </div>
  );
}

function Values({ title, values, none }: { title: string; values: Record<string, unknown>; none: string }) {
  const all = Object.entries(values);
  return (
    <div>
      <h2>{title}</h2>
      {all.length === 0 && <p className="quiet">{none}</p>}
      <dl className="facts">
        {all.map(([name, value]) => (
          <Fact key={name} name={name}>
            <Text longest={500}>{typeof value === "object" ? JSON.stringify(value) : String(value)}</Text>
          </Fact>
        ))}
      </dl>
    </div>
  );
}
