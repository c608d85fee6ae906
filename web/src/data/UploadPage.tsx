import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { number, t } from "../i18n";
import { me } from "../jobs/queries";
import { Empty } from "../kit/Empty";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { useKept } from "../kit/useKept";
import { Arrived } from "./Arrived";
import { FilesField } from "./FilesField";
import { didFor } from "./names";
import { scopes } from "./queries";
import { Sendings } from "./Sendings";
import { Target } from "./Target";
import { type Place, placeFor, ruleOf, START } from "./target";
import { type Sending, upload } from "./upload";

const route = getRouteApi("/data/upload");

/** Upload files of this computer: where they go, under which rule, and how far they are. */
export function UploadPage() {
  const { dataset } = route.useSearch();
  const who = useQuery(me);
  const known = useQuery(scopes);
  if (who.data === undefined || known.data === undefined) {
    const error = who.error ?? known.error;
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={known.refetch} />
    );
  }
  const account = who.data.account;
  const mine = known.data.filter((one) => one.account === account || one.shared).map((one) => one.name);
  return (
    <div className="page">
      <h1>{t("data.upload")}</h1>
      {mine.length === 0 ? (
        <Empty title={t("upload.noScopeTitle")}>
          <p>{t("upload.noScope")}</p>
        </Empty>
      ) : (
        <Uploading key={dataset} scopes={mine} dataset={dataset} />
      )}
    </div>
  );
}

function Uploading({ scopes: names, dataset }: { scopes: string[]; dataset: string | undefined }) {
  const [place, setPlace, forget] = useKept<Place>(`sancho.upload.${dataset ?? ""}`, {
    ...START,
    ...placeFor(dataset, names),
  });
  const [files, setFiles] = useState<File[]>([]);
  const [into, setInto] = useState<string>();
  const [sendings, setSendings] = useState<Sending[]>();
  const [error, setError] = useState<unknown>();
  const cache = useQueryClient();
  const ending = useRef<AbortController>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const busy = sendings?.some((one) => one.phase !== "done") === true && error === undefined;
  const send = async () => {
    const plan = files.map((file) => ({ file, did: didFor(place.scope, place.folder, file.name) }));
    const intoNow = place.dataset.trim() === "" ? undefined : place.dataset.trim();
    const stop = new AbortController();
    ending.current = stop;
    setError(undefined);
    setInto(intoNow);
    setSendings(plan.map((one) => ({ ...one, phase: "waiting", moved: 0 })));
    const onChange = (n: number, how: Partial<Sending>) =>
      setSendings((before) => before?.map((one, m) => (m === n ? { ...one, ...how } : one)));
    try {
      await upload({ files: plan, dataset: intoNow, rule: ruleOf(place) }, onChange, stop.signal);
      forget();
      await cache.invalidateQueries({ queryKey: ["data"] });
      await cache.invalidateQueries({ queryKey: ["did"] });
    } catch (caught) {
      if (stop.signal.aborted) setSendings(undefined);
      else setError(caught);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  if (sendings?.every((one) => one.phase === "done")) {
    return (
      <Arrived
        sendings={sendings}
        dataset={into}
        onMore={() => {
          setFiles([]);
          setSendings(undefined);
        }}
      />
    );
  }
  return (
    <form className="columns" onSubmit={onSubmit}>
      <div className="stack">
        {sendings === undefined ? (
          <FilesField files={files} onChange={setFiles} />
        ) : (
          <Sendings sendings={sendings} />
        )}
        {error !== undefined && <Trouble error={error} />}
        <div className="buttons">
          <button type="submit" className="button primary" disabled={busy || files.length === 0}>
            {files.length === 0
              ? t("upload.goNone")
              : error === undefined
                ? t(files.length === 1 ? "upload.goOne" : "upload.go", {
                    count: number(files.length),
                    size: bytes(files.reduce((sum, one) => sum + one.size, 0)),
                  })
                : t("problem.retry")}
          </button>
          {sendings !== undefined && (
            <button
              type="button"
              className="button"
              onClick={() => {
                ending.current?.abort();
                setSendings(undefined);
                setError(undefined);
              }}
            >
              {t(busy ? "upload.stop" : "common.cancel")}
            </button>
          )}
        </div>
      </div>
      <Target place={place} scopes={names} disabled={busy} onChange={setPlace} />
    </form>
  );
}
