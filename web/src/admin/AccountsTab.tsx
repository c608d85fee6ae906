import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client";
import { asProblem } from "../api/problem";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { Moment } from "../kit/Moment";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { shown } from "../kit/text";
import { say } from "../kit/toast";
import { AccountForm } from "./AccountForm";
import { MayForm } from "./MayForm";
import { More } from "./More";
import { type Account, accounts, groups } from "./queries";

/** The accounts of the VO, what their groups give them, and whether somebody may do something. */
export function AccountsTab() {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery(accounts);
  const { data: who } = useQuery(me);
  const [filter, setFilter] = useState("");
  const [editing, setEditing] = useState<Account | "new">();
  if (error !== null) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <p className="waiting">{t("common.loading")}</p>;
  const can = (permission: string) =>
    who?.permissions.some((one) => one === "*" || one === permission) ?? false;
  const all = data.pages.flat().filter((one) => one.name.includes(filter.toLowerCase()));
  return (
    <div className="stack">
      <div className="spread">
        <input
          type="search"
          className="narrow"
          aria-label={t("accounts.filter")}
          placeholder={t("accounts.filter")}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        {can("configuration:apply") && (
          <button type="button" className="button primary" onClick={() => setEditing("new")}>
            {t("accounts.add")}
          </button>
        )}
      </div>
      <div className="scroll">
        <table className="resources" aria-label={t("admin.tab.accounts")}>
          <thead>
            <tr>
              <th scope="col">{t("accounts.name")}</th>
              <th scope="col">{t("accounts.state")}</th>
              <th scope="col">{t("accounts.groups")}</th>
              <th scope="col">{t("accounts.email")}</th>
              <th scope="col">{t("accounts.made")}</th>
              <th scope="col">{t("sites.action")}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <tr key={one.account_id}>
                <th scope="row">
                  <Text longest={63}>{one.name}</Text>{" "}
                  {one.kind !== "user" && <span className="quiet">{one.kind}</span>}
                </th>
                <td>
                  <span className={one.state === "active" ? "state done" : "state failed"}>{one.state}</span>
                </td>
                <td>{one.groups.join(", ") || <span className="quiet">{t("common.none")}</span>}</td>
                <td>
                  {one.email === null ? (
                    <span className="quiet">{t("common.none")}</span>
                  ) : (
                    <Text>{one.email}</Text>
                  )}
                </td>
                <td>
                  <Moment at={one.created_at} />
                </td>
                <td>
                  <div className="buttons">
                    {can("configuration:apply") && (
                      <button
                        type="button"
                        className="button small"
                        aria-label={t("accounts.editOf", { name: shown(one.name, 63) })}
                        onClick={() => setEditing(one)}
                      >
                        {t("accounts.edit")}
                      </button>
                    )}
                    {can("accounts:manage") && one.name !== who?.account && <Suspend account={one} />}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More has={hasNextPage} busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />
      <div className="panels">
        <Groups />
        <MayForm />
      </div>
      {editing !== undefined && (
        <AccountForm
          account={editing === "new" ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
    </div>
  );
}

const tell = (error: unknown) => say(asProblem(error).message);

function Suspend({ account }: { account: Account }) {
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const suspended = account.state === "suspended";
  const name = shown(account.name, 63);
  const set = async (bar: boolean) => {
    const params = { params: { path: { name: account.name } } };
    await answer(
      bar
        ? api.POST("/v1/accounts/{name}/suspend", params)
        : api.POST("/v1/accounts/{name}/activate", params),
    );
    await cache.invalidateQueries({ queryKey: ["admin", "accounts"] });
  };
  const press = () => {
    setBusy(true);
    set(!suspended).then(
      () => {
        setBusy(false);
        say(
          t(suspended ? "accounts.activated" : "accounts.suspended", { name }),
          () => void set(suspended).catch(tell),
        );
      },
      (error: unknown) => {
        setBusy(false);
        tell(error);
      },
    );
  };
  if (account.state !== "active" && !suspended) return null;
  return (
    <button
      type="button"
      className={suspended ? "button small" : "button small danger"}
      disabled={busy}
      aria-label={t(suspended ? "accounts.activateOf" : "accounts.suspendOf", { name })}
      onClick={press}
    >
      {t(suspended ? "accounts.activate" : "accounts.suspend")}
    </button>
  );
}

function Groups() {
  const { data, error } = useQuery(groups);
  return (
    <Panel title={t("accounts.groupsTitle")}>
      {error !== null && <Trouble error={error} />}
      <ul className="lines">
        {data?.map((one) => (
          <li key={one.group_id}>
            <b>
              <Text longest={63}>{one.name}</Text>
            </b>{" "}
            <span className="quiet">{t("accounts.share", { share: one.share })}</span>
            <br />
            <code>
              {one.permissions.length === 0 ? t("common.none") : <Text>{one.permissions.join(", ")}</Text>}
            </code>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
