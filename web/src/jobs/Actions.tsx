import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { ACTIONS, type Action, act, jobsInWords, possible } from "./actions";

type Chosen = { job_id: number; state: string };
type Props = { jobs: Chosen[]; onDone?: (action: Action, ids: number[]) => void };

/** Buttons for what is possible with jobs; each acts on those for which it is. */
export function Actions({ jobs, onDone }: Props) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState<number[]>();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (action: Action, ids: number[]) => {
    setBusy(true);
    setAsking(undefined);
    setError(undefined);
    act(action, ids, cache)
      .then((done) => onDone?.(action, done), setError)
      .finally(() => setBusy(false));
  };
  const fitting = (action: Action) =>
    jobs.filter((one) => possible(action, one.state)).map((one) => one.job_id);
  const start = (action: Action) =>
    action === "kill" ? setAsking(fitting("kill")) : run(action, fitting(action));
  return (
    <>
      <div className="buttons">
        {ACTIONS.map((action) => {
          const count = fitting(action).length;
          if (count === 0) return null;
          return (
            <button
              key={action}
              type="button"
              className={action === "kill" ? "button danger" : "button"}
              disabled={busy}
              onClick={() => start(action)}
            >
              {t(`action.${action}`)}
              {jobs.length > 1 && count < jobs.length ? ` (${count})` : ""}
            </button>
          );
        })}
      </div>
      {error !== undefined && <Trouble error={error} />}
      {asking !== undefined && (
        <Dialog title={t("action.kill")} onClose={() => setAsking(undefined)}>
          <p>{t("action.askKill", { count: jobsInWords(asking.length) })}</p>
          <div className="buttons">
            <button type="button" className="button" onClick={() => setAsking(undefined)}>
              {t("common.cancel")}
            </button>
            <button type="button" className="button danger" onClick={() => run("kill", asking)}>
              {t("action.kill")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
