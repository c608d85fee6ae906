import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { shown } from "../kit/text";
import { say } from "../kit/toast";
import { type ResourceKind, timeOf } from "./standing";

/** Asks from when until when something is not to be used, and why. */
export function Announce({ kind, name, onClose }: { kind: ResourceKind; name: string; onClose: () => void }) {
  const cache = useQueryClient();
  const [reason, setReason] = useState("");
  const [begins, setBegins] = useState("");
  const [ends, setEnds] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const field = useId();
  const announce = async () => {
    const begins_at = timeOf(begins);
    const ends_at = timeOf(ends);
    const body = {
      kind,
      name,
      reason: reason.trim(),
      ...(begins_at === undefined ? {} : { begins_at }),
      ...(ends_at === undefined ? {} : { ends_at }),
    };
    await answer(api.POST("/v1/downtimes", { body }));
    await cache.invalidateQueries({ queryKey: ["topology"] });
    say(t(begins === "" ? "downtime.begun" : "downtime.announced", { name: shown(name, 80) }));
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    announce().then(undefined, (raised: unknown) => {
      setError(raised);
      setBusy(false);
    });
  };
  return (
    <Dialog title={t("downtime.of", { name: shown(name, 80) })} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <p className="quiet">{t(`downtime.effect.${kind}`)}</p>
        <div className="field">
          <label htmlFor={`${field}-reason`}>{t("downtime.reason")}</label>
          <input
            id={`${field}-reason`}
            required
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        </div>
        <div className="two">
          <div className="field">
            <label htmlFor={`${field}-begins`}>{t("downtime.begins")}</label>
            <input
              id={`${field}-begins`}
              type="datetime-local"
              aria-describedby={`${field}-begins-help`}
              value={begins}
              onChange={(event) => setBegins(event.target.value)}
            />
            <p id={`${field}-begins-help`} className="quiet">
              {t("downtime.beginsHelp")}
            </p>
          </div>
          <div className="field">
            <label htmlFor={`${field}-ends`}>{t("downtime.ends")}</label>
            <input
              id={`${field}-ends`}
              type="datetime-local"
              aria-describedby={`${field}-ends-help`}
              value={ends}
              onChange={(event) => setEnds(event.target.value)}
            />
            <p id={`${field}-ends-help`} className="quiet">
              {t("downtime.endsHelp")}
            </p>
          </div>
        </div>
        {error !== undefined && <Trouble error={error} />}
        <div className="buttons">
          <button type="button" className="button" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {t(begins === "" ? "downtime.beginNow" : "downtime.announce")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
