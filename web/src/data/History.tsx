import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { t } from "../i18n";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { moment } from "../kit/time";
import { DidLink } from "./Names";
import { type DidInfo, declarations, ruleHistory, takenOut } from "./queries";

/** What became of a DID: its rules, what was taken out of it, what was said of its replicas. */
export function History({ shown }: { shown: DidInfo }) {
  return (
    <>
      <RuleEvents did={shown.did} />
      {shown.kind === "file" ? <Declarations did={shown.did} /> : <TakenOut did={shown.did} />}
    </>
  );
}

function Section({
  title,
  none,
  error,
  rows,
}: {
  title: string;
  none: string;
  error: unknown;
  rows: ReactNode[] | undefined;
}) {
  return (
    <>
      <h2>{title}</h2>
      {error !== null && <Trouble error={error} />}
      {rows?.length === 0 && <p className="quiet">{none}</p>}
      {rows !== undefined && rows.length > 0 && <ol className="history">{rows}</ol>}
    </>
  );
}

function RuleEvents({ did }: { did: string }) {
  const { data, error } = useQuery(ruleHistory(did));
  const rows = data?.items.map((one) => (
    <li key={one.event_id}>
      <time dateTime={one.at}>{moment(one.at)}</time>
      <span className="state">{t(`rule.event.${one.kind}`)}</span>
      <span className="quiet">
        {t("rule.number", { id: one.rule_id })}:{" "}
        {one.copies === 1 ? t("rule.copy") : t("rule.copies", { count: one.copies })} {t("rule.on")}{" "}
        <Text longest={120}>{one.rse_expression}</Text>
        {one.by !== null && (
          <>
            {" · "}
            <Text longest={60}>{one.by}</Text>
          </>
        )}
        {one.detail !== null && (
          <>
            {" · "}
            <Text longest={300}>{one.detail}</Text>
          </>
        )}
      </span>
    </li>
  ));
  return <Section title={t("history.rules")} none={t("history.noRules")} error={error} rows={rows} />;
}

function Declarations({ did }: { did: string }) {
  const { data, error } = useQuery(declarations(did));
  const rows = data?.items.map((one) => (
    <li key={one.declaration_id}>
      <time dateTime={one.declared_at}>{moment(one.declared_at)}</time>
      <span className="state">{one.kind}</span>
      <span className="quiet">
        <Text longest={60}>{one.rse}</Text> · {one.state}
        {one.reason !== null && (
          <>
            {" · "}
            <Text longest={300}>{one.reason}</Text>
          </>
        )}
      </span>
    </li>
  ));
  return <Section title={t("history.declared")} none={t("history.noDeclared")} error={error} rows={rows} />;
}

function TakenOut({ did }: { did: string }) {
  const { data, error } = useQuery(takenOut(did));
  const rows = data?.items.map((one) => (
    <li key={`${one.did} ${one.detached_at}`}>
      <time dateTime={one.detached_at}>{moment(one.detached_at)}</time>
      <span className="state">{t("history.out")}</span>
      <DidLink did={one.did} />
    </li>
  ));
  return <Section title={t("history.takenOut")} none={t("history.noTakenOut")} error={error} rows={rows} />;
}
