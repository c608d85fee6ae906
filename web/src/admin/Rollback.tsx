import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api, type Schemas } from "../api/client";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { say } from "../kit/toast";
import { Changes } from "./Changes";

/** Brings a version back, after it has shown what that would change. */
export function Rollback({ version }: { version: number }) {
  const cache = useQueryClient();
  const navigate = useNavigate();
  const [planned, setPlanned] = useState<Schemas["Applied"]>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const send = (dry_run: boolean) =>
    answer(api.POST("/v1/configuration/rollback", { body: { version, dry_run } }));
  const plan = () => {
    setBusy(true);
    setError(undefined);
    send(true)
      .then(setPlanned, setError)
      .finally(() => setBusy(false));
  };
  const apply = async () => {
    await send(false);
    await cache.invalidateQueries();
    setPlanned(undefined);
    say(t("versions.isBack", { version }));
    await navigate({ to: "/admin", search: { tab: "configuration" } });
  };
  const press = () => {
    setBusy(true);
    apply()
      .then(undefined, setError)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <button type="button" className="button small" disabled={busy} onClick={plan}>
        {t("versions.back")}
      </button>
      {error !== undefined && planned === undefined && <Trouble error={error} />}
      {planned !== undefined && (
        <Dialog title={t("versions.backTo", { version })} onClose={() => setPlanned(undefined)}>
          <p>{t("versions.would")}</p>
          <div className="planned">
            <Changes all={planned.changes} />
          </div>
          {error !== undefined && <Trouble error={error} />}
          <div className="buttons">
            <button type="button" className="button" onClick={() => setPlanned(undefined)}>
              {t("common.cancel")}
            </button>
            <button
              type="button"
              className="button danger"
              disabled={busy || planned.changes.length === 0}
              onClick={press}
            >
              {t("versions.back")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
