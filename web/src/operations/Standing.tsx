import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "../api/client";
import { asProblem } from "../api/problem";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { Text } from "../kit/Text";
import { moment } from "../kit/time";
import { say } from "../kit/toast";
import { type Downtime, downtimesOf, type ResourceKind, standing } from "./standing";

type Props = {
  kind: ResourceKind;
  name: string;
  /** Where it is: what is down takes with it what is there. */
  site: string;
  enabled: boolean;
  all: readonly Downtime[];
};

const LOOK = { open: "done", down: "failed", off: "waiting" };

/** Whether something can be used, and until when it cannot or from when on it will not be. */
export function Standing({ kind, name, site, enabled, all }: Props) {
  const { data: who } = useQuery(me);
  const mayManage = who?.permissions.some((one) => one === "*" || one === "topology:manage") ?? false;
  const own = downtimesOf(all, kind, name);
  const above = kind === "Site" ? [] : downtimesOf(all, "Site", site);
  const state = standing(enabled, [...own, ...above]);
  return (
    <div className="standing">
      <span className={`state ${LOOK[state]}`}>{t(`standing.${state}`)}</span>
      {above.some((one) => one.begun) && <span className="downtime">{t("downtime.withSite")}</span>}
      {own.map((one) => (
        <div key={one.downtime_id} className="downtime">
          <span>
            {one.begun
              ? one.ends_at === null
                ? t("downtime.open")
                : t("downtime.until", { end: moment(one.ends_at) })
              : t("downtime.from", { begin: moment(one.begins_at) })}
            {": "}
            <Text longest={120}>{one.reason}</Text>
          </span>
          {one.own && mayManage && <End one={one} />}
        </div>
      ))}
    </div>
  );
}

const tell = (error: unknown) => say(asProblem(error).message);

function End({ one }: { one: Downtime }) {
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const end = async () => {
    const path = { downtime_id: one.downtime_id };
    await api.POST("/v1/downtimes/{downtime_id}/end", { params: { path } });
    await cache.invalidateQueries({ queryKey: ["topology"] });
    say(
      t(one.begun ? "downtime.ended" : "downtime.takenBack", { name: one.name }),
      () => void again().catch(tell),
    );
  };
  const again = async () => {
    const { kind, name, reason, begins_at, ends_at } = one;
    const body = { kind, name, reason, begins_at, ends_at };
    await answer(api.POST("/v1/downtimes", { body }));
    await cache.invalidateQueries({ queryKey: ["topology"] });
  };
  const press = () => {
    setBusy(true);
    end().then(
      () => setBusy(false),
      (error: unknown) => {
        setBusy(false);
        tell(error);
      },
    );
  };
  return (
    <button
      type="button"
      className="button small"
      disabled={busy}
      aria-label={t(one.begun ? "downtime.endOf" : "downtime.takeBackOf", { name: one.name })}
      onClick={press}
    >
      {t(one.begun ? "downtime.end" : "downtime.takeBack")}
    </button>
  );
}
