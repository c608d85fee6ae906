import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { type JobDetail, log } from "./queries";

const RUNS = ["matched", "running", "completing"];

/** What a job prints, while it runs and after. */
export function Log({ job }: { job: JobDetail }) {
  const running = RUNS.includes(job.state);
  const { data, error, refetch } = useQuery(log(job.job_id, running));
  const [failed, setFailed] = useState<unknown>();
  const download = async () => {
    const params = { path: { job_id: job.job_id } };
    const { url } = await answer(api.GET("/v1/jobs/{job_id}/sandbox", { params }));
    location.assign(url);
  };
  if (error !== null) return <Trouble error={error} onRetry={refetch} />;
  if (data === undefined) return <p className="waiting">{t("common.loading")}</p>;
  return (
    <>
      <div className="spread">
        <p className="quiet">
          {data.tail === "" ? t("job.noLog") : t("job.logTail", { size: bytes(data.log_size) })}{" "}
          {running && t("job.logLive")}
        </p>
        {job.attempt_list.some((one) => one.ended_at !== null) && (
          <button type="button" className="button" onClick={() => void download().catch(setFailed)}>
            {t("job.sandbox")}
          </button>
        )}
      </div>
      {failed !== undefined && <Trouble error={failed} />}
      {data.tail !== "" && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
        <pre tabIndex={0} className="log">
          {data.tail}
        </pre>
      )}
    </>
  );
}
