import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { download } from "../data/download";
import { DidLink } from "../data/Names";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { type JobDetail, places } from "./queries";

type Place = Schemas["ReadableOut"];

/** What a job reads and what it makes, and where that is. */
export function Files({ job }: { job: JobDetail }) {
  const made = job.outputs.filter((one) => one.committed).map((one) => one.did);
  const inputs = useQuery(places(job.inputs));
  const outputs = useQuery(places(made));
  const found = new Map(outputs.data?.map((one) => [one.did, one]));
  return (
    <>
      <h2>{t("job.outputs")}</h2>
      {job.outputs.length === 0 && <p className="quiet">{t("job.noOutputs")}</p>}
      {outputs.error !== null && <Trouble error={outputs.error} onRetry={outputs.refetch} />}
      <ul className="files">
        {job.outputs.map((one) => (
          <File
            key={one.number}
            did={one.did}
            place={found.get(one.did)}
            note={t(one.committed ? "job.committed" : "job.promised")}
          />
        ))}
      </ul>
      <h2>{t("job.inputs")}</h2>
      {job.inputs.length === 0 && <p className="quiet">{t("job.noInputs")}</p>}
      {inputs.error !== null && <Trouble error={inputs.error} onRetry={inputs.refetch} />}
      <ul className="files">
        {inputs.data?.map((one) => (
          <File key={one.did} did={one.did} place={one} note="" />
        ))}
      </ul>
    </>
  );
}

function File({ did, place, note }: { did: string; place: Place | undefined; note: string }) {
  const [error, setError] = useState<unknown>();
  const readable = place !== undefined && place.sources.length > 0;
  return (
    <li>
      <div className="spread">
        <span>
          <code>{place === undefined ? <Text>{did}</Text> : <DidLink did={did} longest={400} />}</code>{" "}
          <span className="quiet">
            {note} {place !== undefined && bytes(place.size)}
          </span>
        </span>
        {readable && (
          <button
            type="button"
            className="button"
            aria-label={t("job.download", { did })}
            onClick={() => void download(did).catch(setError)}
          >
            {t("job.downloadShort")}
          </button>
        )}
      </div>
      {place !== undefined && (
        <p className="quiet">
          {t("job.replicas")}:{" "}
          {place.sources.length === 0 ? t("job.noReplica") : place.sources.map((one) => one.rse).join(", ")}
        </p>
      )}
      {error !== undefined && <Trouble error={error} />}
    </li>
  );
}
