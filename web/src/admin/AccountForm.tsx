import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { shown } from "../kit/text";
import { say } from "../kit/toast";
import { type Account, groups, putAccount } from "./queries";

/** Makes an account, or changes which groups it is in. */
export function AccountForm({ account, onClose }: { account: Account | undefined; onClose: () => void }) {
  const cache = useQueryClient();
  const { data: known = [] } = useQuery(groups);
  const [name, setName] = useState(account?.name ?? "");
  const [email, setEmail] = useState(account?.email ?? "");
  const [chosen, setChosen] = useState<readonly string[]>(account?.groups ?? ["users"]);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const field = useId();
  const put = async () => {
    const { vo } = await cache.fetchQuery(me);
    await putAccount(vo, account ?? name, { groups: [...chosen], email: email === "" ? null : email });
    await cache.invalidateQueries({ queryKey: ["admin"] });
    say(t("accounts.saved", { name: shown(name, 63) }));
    onClose();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    put().then(undefined, (raised: unknown) => {
      setError(raised);
      setBusy(false);
    });
  };
  const toggle = (group: string) =>
    setChosen(chosen.includes(group) ? chosen.filter((one) => one !== group) : [...chosen, group]);
  const title =
    account === undefined ? t("accounts.add") : t("accounts.editOf", { name: shown(account.name, 63) });
  return (
    <Dialog title={title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        {account === undefined && (
          <div className="field">
            <label htmlFor={`${field}-name`}>{t("accounts.name")}</label>
            <input
              id={`${field}-name`}
              required
              pattern="[a-z0-9][a-z0-9._\-]{0,62}"
              title={t("accounts.nameHelp")}
              autoCapitalize="none"
              spellCheck={false}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          </div>
        )}
        <div className="field">
          <label htmlFor={`${field}-email`}>{t("accounts.email")}</label>
          <input
            id={`${field}-email`}
            type="email"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </div>
        <fieldset className="ticks">
          <legend>{t("accounts.groups")}</legend>
          {known.map((one) => (
            <label key={one.group_id} className="check">
              <input type="checkbox" checked={chosen.includes(one.name)} onChange={() => toggle(one.name)} />
              <bdi>{shown(one.name, 63)}</bdi>
            </label>
          ))}
        </fieldset>
        {account === undefined && <p className="quiet">{t("accounts.loginHelp")}</p>}
        {error !== undefined && <Trouble error={error} />}
        <div className="buttons">
          <button type="button" className="button" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button primary" disabled={busy}>
            {t("common.save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
