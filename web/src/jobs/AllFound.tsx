import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { number, t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { say } from "../kit/toast";
import { actOnFound, FOUND_ACTIONS, type FoundAction, jobsInWords } from "./actions";
import { type JobSearch, whereOf } from "./search";

/** What can be done to all that a search finds, however many: the server finds them, not this list. */
export function AllFound({ search, onDone }: { search: JobSearch; onDone: () => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" className="button" onClick={() => setAsking(true)}>
        {t("found.open")}
      </button>
      {asking && <Question search={search} onDone={onDone} onClose={() => setAsking(false)} />}
    </>
  );
}

type Props = { search: JobSearch; onDone: () => void; onClose: () => void };

function Question({ search, onDone, onClose }: Props) {
  const cache = useQueryClient();
  const [changed, setChanged] = useState<number>();
  const [error, setError] = useState<unknown>();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const where = whereOf(search);
  const run = (action: FoundAction) => {
    setError(undefined);
    setChanged(0);
    actOnFound(action, where, cache, { onProgress: setChanged, signal: stop.current.signal }).then(
      (count) => {
        say(t(`action.done.${action}`, { count: jobsInWords(count) }));
        onDone();
        onClose();
      },
      (problem: unknown) => {
        setError(problem);
        setChanged(undefined);
      },
    );
  };
  return (
    <Dialog title={t("found.title")} onClose={onClose}>
      <p>
        {where === undefined ? (
          t("found.everything")
        ) : (
          <>
            {t("found.those")}{" "}
            <code>
              <Text longest={400}>{where}</Text>
            </code>
          </>
        )}
      </p>
      <p className="quiet">{t("found.help")}</p>
      {changed !== undefined && <p role="status">{t("found.changed", { count: number(changed) })}</p>}
      {error !== undefined && <Trouble error={error} />}
      <div className="buttons">
        <button type="button" className="button" onClick={onClose}>
          {t(changed === undefined ? "common.cancel" : "found.stop")}
        </button>
        {changed === undefined &&
          FOUND_ACTIONS.map((action) => (
            <button
              key={action}
              type="button"
              className={action === "kill" ? "button danger" : "button"}
              onClick={() => run(action)}
            >
              {t(`action.${action}`)}
            </button>
          ))}
      </div>
    </Dialog>
  );
}
