import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { t } from "../i18n";
import { Moment } from "../kit/Moment";
import { PageLink } from "../kit/PageLink";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { dataPath } from "../shell/finding";
import { type Declaration, declared, type Rule, rulesIn } from "./queries";

/** Data that somebody should look at: rules that are stuck or not approved, replicas that are bad or suspicious. */
export function Risk({ account }: { account: string }) {
  const stuck = useQuery(rulesIn(account, "stuck"));
  const waiting = useQuery(rulesIn(account, "waiting"));
  const bad = useQuery(declared("bad"));
  const odd = useQuery(declared("suspicious"));
  const all = [stuck, waiting, bad, odd];
  const error = all.find((one) => one.error !== null)?.error ?? null;
  const fine = all.every((one) => one.isSuccess && one.data.length === 0);
  return (
    <Panel title={t("home.risk")}>
      {error !== null && <Trouble error={error} />}
      {fine && <p className="quiet">{t("home.noRisk")}</p>}
      <ul className="lines">
        {stuck.data?.map((rule) => (
          <RuleLine key={rule.rule_id} rule={rule} look="failed" mark={t("home.stuck")} />
        ))}
        {waiting.data?.map((rule) => (
          <RuleLine key={rule.rule_id} rule={rule} look="waiting" mark={t("home.unapproved")} />
        ))}
        {bad.data?.map((one) => (
          <ReplicaLine key={one.declaration_id} said={one} look="failed" mark={t("home.bad")} />
        ))}
        {odd.data?.map((one) => (
          <ReplicaLine key={one.declaration_id} said={one} look="waiting" mark={t("home.suspicious")} />
        ))}
      </ul>
    </Panel>
  );
}

function RuleLine({ rule, look, mark }: { rule: Rule; look: string; mark: string }) {
  return (
    <Line did={rule.did} look={look} mark={mark}>
      {t("home.rule", { id: rule.rule_id })}
      {rule.error !== null && (
        <>
          {": "}
          <Text longest={200}>{rule.error}</Text>
        </>
      )}
    </Line>
  );
}

function ReplicaLine({ said, look, mark }: { said: Declaration; look: string; mark: string }) {
  return (
    <Line did={said.did} look={look} mark={mark}>
      {said.rse}
      {said.reason !== null && (
        <>
          {": "}
          <Text longest={200}>{said.reason}</Text>
        </>
      )}{" "}
      <Moment at={said.declared_at} />
    </Line>
  );
}

function Line({
  did,
  look,
  mark,
  children,
}: {
  did: string;
  look: string;
  mark: string;
  children: ReactNode;
}) {
  return (
    <li>
      <span className={`state ${look}`}>{mark}</span>{" "}
      <PageLink to={dataPath(did)}>
        <Text longest={80}>{did}</Text>
      </PageLink>{" "}
      <span className="quiet">{children}</span>
    </li>
  );
}
