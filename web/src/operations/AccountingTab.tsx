import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { Chart } from "../charts/Chart";
import { curvesOf } from "../charts/series";
import { number, t } from "../i18n";
import { me } from "../jobs/queries";
import { Empty } from "../kit/Empty";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { duration } from "../kit/time";
import { Choice } from "./Choice";
import { used } from "./queries";
import { DAYS, MEASURES, type Measure, type OperationsSearch, SPLITS } from "./tabs";

const route = getRouteApi("/operations");

/** Who administers the installation is told of all VOs; of others, their own would be the only one. */
const INSTANCE = "instance";

const FORMATS: Record<Measure, (value: number) => string> = {
  cpu: hours,
  wall: hours,
  size: bytes,
  files: (value) => number(Math.round(value)),
  entries: (value) => number(Math.round(value)),
};

/** What was used, day by day: computing, files and bytes, by who used it, where, or what for. */
export function AccountingTab() {
  const search = route.useSearch();
  const { days = 30, measure = "cpu", by = "account" } = search;
  const navigate = route.useNavigate();
  const { data: who } = useQuery(me);
  const { data, error, refetch } = useQuery(used(["day", by], days * 24));
  const set = (change: OperationsSearch) =>
    void navigate({ search: { ...search, tab: "accounting", ...change } });
  const curves = useMemo(
    () =>
      curvesOf(data ?? [], {
        by,
        measure,
        days,
        until: Date.now(),
        none: t("accounting.none"),
        others: t("accounting.others"),
      }),
    [data, by, measure, days],
  );
  const label = t("accounting.title", {
    measure: t(`accounting.measure.${measure}`),
    by: t(`accounting.by.${by}`),
    days,
  });
  return (
    <div className="stack">
      <div className="choices">
        <Choice
          label={t("accounting.measure")}
          all={MEASURES}
          chosen={measure}
          text={(one) => t(`accounting.measure.${one}`)}
          onChoose={(one) => set({ measure: one })}
        />
        <Choice
          label={t("accounting.by")}
          all={SPLITS.filter((one) => one !== "vo" || who?.vo === INSTANCE)}
          chosen={by}
          text={(one) => t(`accounting.by.${one}`)}
          onChoose={(one) => set({ by: one })}
        />
        <Choice
          label={t("operations.range")}
          all={DAYS}
          chosen={days}
          text={(one) => t("accounting.days", { days: one })}
          onChoose={(one) => set({ days: one })}
        />
      </div>
      {error !== null && <Trouble error={error} onRetry={() => void refetch()} />}
      {data === undefined && error === null && <p className="waiting">{t("common.loading")}</p>}
      {data !== undefined && curves.names.length === 0 && (
        <Empty title={t("accounting.emptyTitle")}>
          <p>{t("accounting.empty")}</p>
        </Empty>
      )}
      {curves.names.length > 0 && (
        <div className="card">
          <h2>{label}</h2>
          <Chart
            curves={curves}
            label={label}
            format={FORMATS[measure]}
            form="bars"
            file={`${measure}-by-${by}-${days}-days`}
          />
        </div>
      )}
    </div>
  );
}

function hours(seconds: number): string {
  if (seconds < 60) return t("accounting.seconds", { seconds: Number(seconds.toPrecision(2)) });
  if (seconds < 3600) return duration(seconds);
  const value = seconds / 3600;
  return t("accounting.hours", {
    hours: value < 10 ? value.toFixed(1) : number(Math.round(value)),
  });
}
