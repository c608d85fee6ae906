import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answer, api } from "../api/client";
import { asProblem } from "../api/problem";
import { number, t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Moment } from "../kit/Moment";
import { Scroll } from "../kit/Scroll";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { say } from "../kit/toast";
import { Choice } from "../operations/Choice";
import { More } from "./More";
import { decisions } from "./queries";
import { type AdminSearch, readAdmin } from "./tabs";

const route = getRouteApi("/admin");
const OUTCOMES = ["any", "allowed", "denied"] as const;

/** What was decided: who wanted to do what with what, whether it was allowed, and why. */
export function AuditTab() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery(
    decisions(search),
  );
  const change = (next: AdminSearch) =>
    void navigate({ search: { ...readAdmin({ ...next }), tab: "audit" } });
  const all = data?.pages.flatMap((page) => page.items);
  return (
    <div className="stack">
      <Filters key={JSON.stringify(search)} search={search} onChange={change} />
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {all === undefined && error === null && <p className="waiting">{t("common.loading")}</p>}
      {all?.length === 0 && (
        <Empty title={t("audit.emptyTitle")}>
          <p>{t("audit.empty")}</p>
        </Empty>
      )}
      {all !== undefined && all.length > 0 && (
        <Scroll>
          <table aria-label={t("admin.tab.audit")} className="audit">
            <thead>
              <tr>
                <th scope="col">{t("audit.when")}</th>
                <th scope="col">{t("may.account")}</th>
                <th scope="col">{t("may.permission")}</th>
                <th scope="col">{t("may.on")}</th>
                <th scope="col">{t("audit.outcome")}</th>
                <th scope="col">{t("audit.why")}</th>
              </tr>
            </thead>
            <tbody>
              {all.map((one) => (
                <tr key={one.audit_id}>
                  <td>
                    <Moment at={one.at} />
                  </td>
                  <td>
                    <Text longest={63}>{one.account}</Text>
                  </td>
                  <td>
                    <code>{one.permission}</code>
                  </td>
                  <td>
                    {one.on === null ? t("common.none") : <Text longest={120}>{one.on}</Text>}
                    {one.items > 1 && (
                      <span className="quiet"> {t("audit.items", { count: number(one.items - 1) })}</span>
                    )}
                  </td>
                  <td>
                    <span className={one.allowed ? "state done" : "state failed"}>
                      {t(one.allowed ? "audit.allowed" : "audit.denied")}
                    </span>
                  </td>
                  <td
                    className="quiet"
                    title={one.trace_id === null ? undefined : t("problem.trace", { id: one.trace_id })}
                  >
                    <Text longest={160}>{one.why}</Text>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <More has={hasNextPage} busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />
    </div>
  );
}

function Filters({ search, onChange }: { search: AdminSearch; onChange: (search: AdminSearch) => void }) {
  const [account, setAccount] = useState(search.account ?? "");
  const [permission, setPermission] = useState(search.permission ?? "");
  const [on, setOn] = useState(search.on ?? "");
  const outcome = search.allowed === undefined ? "any" : search.allowed ? "allowed" : "denied";
  const said = {
    account,
    permission,
    on,
    ...(search.allowed === undefined ? {} : { allowed: search.allowed }),
  };
  const find = (event: FormEvent) => {
    event.preventDefault();
    onChange(said);
  };
  const choose = (one: (typeof OUTCOMES)[number]) => {
    const { allowed: _, ...rest } = said;
    onChange(one === "any" ? rest : { ...rest, allowed: one === "allowed" });
  };
  const verify = () => {
    answer(api.GET("/v1/audit/verify")).then(
      (one) =>
        say(
          one.intact
            ? t("audit.intact", { rows: number(one.rows), batches: number(one.batches) })
            : t("audit.broken", { why: one.why ?? "" }),
        ),
      (error: unknown) => say(asProblem(error).message),
    );
  };
  const fields = [
    { name: t("may.account"), value: account, set: setAccount },
    { name: t("may.permission"), value: permission, set: setPermission },
    { name: t("audit.on"), value: on, set: setOn },
  ];
  return (
    <search>
      <form className="choices" onSubmit={find}>
        {fields.map((one) => (
          <input
            key={one.name}
            type="search"
            className="narrow"
            aria-label={one.name}
            placeholder={one.name}
            autoCapitalize="none"
            spellCheck={false}
            value={one.value}
            onChange={(event) => one.set(event.target.value)}
          />
        ))}
        <button type="submit" className="button">
          {t("jobs.find")}
        </button>
        <Choice
          label={t("audit.outcome")}
          all={OUTCOMES}
          chosen={outcome}
          text={(one) => t(`audit.${one}`)}
          onChoose={choose}
        />
        <button type="button" className="button" onClick={verify}>
          {t("audit.verify")}
        </button>
      </form>
    </search>
  );
}
