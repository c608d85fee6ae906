import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Chart } from "../charts/Chart";
import { t } from "../i18n";
import { Panel } from "../kit/Panel";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { usageHistory } from "./queries";

/** What an account has kept on an RSE over time. */
export function UsagePlot({ account, rse }: { account: string; rse: string }) {
  const { data, error } = useQuery(usageHistory(account, rse));
  const curves = useMemo(
    () => ({
      days: data?.map((one) => one.day) ?? [],
      names: [t("storage.size")],
      values: [data?.map((one) => one.size) ?? []],
    }),
    [data],
  );
  const label = t("storage.plot", { account, rse });
  return (
    <Panel title={label}>
      {error !== null && <Trouble error={error} />}
      {data?.length === 0 && <p className="quiet">{t("storage.noHistory")}</p>}
      {curves.days.length > 0 && (
        <Chart curves={curves} label={label} format={bytes} form="line" file={`usage-${account}-${rse}`} />
      )}
    </Panel>
  );
}
