import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Empty } from "../kit/Empty";
import { Moment } from "../kit/Moment";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { moment } from "../kit/time";
import { say } from "../kit/toast";
import { RuleBadge } from "./Names";
import { Progress } from "./Progress";
import { type Rule, ruleExplained, rulesOn } from "./queries";

/** The rules on a DID: how far each is carried out, why it is not, and what can be done. It follows them. */
export function Rules({ did }: { did: string }) {
  const { data, error, refetch } = useQuery(rulesOn(did));
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={refetch} />
    );
  }
  if (data.items.length === 0) {
    return (
      <Empty title={t("rule.noneTitle")}>
        <p>{t("rule.none")}</p>
        <Link to="/data/rule" search={{ did }} className="button primary">
          {t("did.newRule")}
        </Link>
      </Empty>
    );
  }
  return (
    <ul className="files">
      {data.items.map((one) => (
        <RuleCard key={one.rule_id} rule={one} />
      ))}
    </ul>
  );
}

function RuleCard({ rule }: { rule: Rule }) {
  return (
    <li className="rule">
      <div className="spread">
        <span className="rule-asks">
          <RuleBadge state={rule.state} />{" "}
          <strong>{rule.copies === 1 ? t("rule.copy") : t("rule.copies", { count: rule.copies })}</strong>{" "}
          {t("rule.on")}{" "}
          <code>
            <Text longest={200}>{rule.rse_expression}</Text>
          </code>
        </span>
        <Deeds rule={rule} />
      </div>
      <Progress rule={rule} />
      {rule.error !== null && (
        <p className="fault">
          <Text longest={500}>{rule.error}</Text>
        </p>
      )}
      {rule.state === "stuck" && <Why rule={rule} />}
      <p className="quiet">
        {t("rule.number", { id: rule.rule_id })} · <Text longest={60}>{rule.account}</Text> · {t("rule.made")}{" "}
        <Moment at={rule.created_at} /> ·{" "}
        {rule.expires_at === null ? t("rule.forEver") : t("rule.until", { at: moment(rule.expires_at) })}
        {rule.rses.length > 0 && (
          <>
            {" "}
            · {t("rule.rses")} <Text longest={200}>{rule.rses.join(", ")}</Text>
          </>
        )}
        {rule.locked && ` · ${t("rule.locked")}`}
      </p>
      {rule.comment !== null && (
        <p>
          <Text longest={400}>{rule.comment}</Text>
        </p>
      )}
    </li>
  );
}

function Why({ rule }: { rule: Rule }) {
  const [open, setOpen] = useState(false);
  const { data, error } = useQuery({ ...ruleExplained(rule.rule_id, rule.state), enabled: open });
  return (
    <details className="help plain" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("job.why")}</summary>
      {error !== null && <Trouble error={error} />}
      {data !== undefined && (
        <ul>
          {[...data.blockers.flatMap((one) => [one.says, one.hint]), ...data.would.map((one) => one.says)]
            .filter((one): one is string => one !== null)
            .map((one) => (
              <li key={one}>
                <Text longest={800}>{one}</Text>
              </li>
            ))}
        </ul>
      )}
    </details>
  );
}

type Deed = "approve" | "deny" | "retry" | "withdraw";
const DEEDS: Record<Rule["state"], Deed[]> = {
  waiting: ["approve", "deny", "withdraw"],
  injecting: ["withdraw"],
  replicating: ["withdraw"],
  ok: ["withdraw"],
  stuck: ["retry", "withdraw"],
};

function Deeds({ rule }: { rule: Rule }) {
  const cache = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (deed: Deed) => {
    setAsking(false);
    setBusy(true);
    setError(undefined);
    done(deed, rule.rule_id)
      .then(() => {
        say(t(`rule.done.${deed}`, { id: rule.rule_id }));
        return cache.invalidateQueries({ queryKey: ["did"] });
      })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <div className="buttons">
        {DEEDS[rule.state].map((deed) => (
          <button
            key={deed}
            type="button"
            className={deed === "withdraw" || deed === "deny" ? "button danger" : "button"}
            disabled={busy}
            onClick={() => (deed === "withdraw" ? setAsking(true) : run(deed))}
          >
            {t(`rule.${deed}`)}
          </button>
        ))}
      </div>
      {error !== undefined && <Trouble error={error} />}
      {asking && (
        <Dialog title={t("rule.withdraw")} onClose={() => setAsking(false)}>
          <p>{t("rule.askWithdraw", { id: rule.rule_id })}</p>
          <div className="buttons">
            <button type="button" className="button" onClick={() => setAsking(false)}>
              {t("common.cancel")}
            </button>
            <button type="button" className="button danger" onClick={() => run("withdraw")}>
              {t("rule.withdraw")}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

async function done(deed: Deed, id: number): Promise<void> {
  const params = { path: { rule_id: id } };
  switch (deed) {
    case "approve":
      await api.POST("/v1/rules/{rule_id}/approve", { params });
      break;
    case "deny":
      await api.POST("/v1/rules/{rule_id}/deny", { params, body: {} });
      break;
    case "retry":
      await answer(api.POST("/v1/rules/{rule_id}/retry", { params }));
      break;
    case "withdraw":
      await api.DELETE("/v1/rules/{rule_id}", { params });
  }
}
