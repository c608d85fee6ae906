import { useQuery } from "@tanstack/react-query";
import { t } from "../i18n";
import { Bar } from "../kit/Bar";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes, shown } from "../kit/text";
import { quotas } from "./queries";

/** How much of each quota is used; of those that hold for all of the VO, all that the VO uses. */
export function Quotas({ account }: { account?: string }) {
  const { data, error } = useQuery(quotas(account));
  return (
    <Panel title={account === undefined ? t("quota.all") : t("home.quotas")}>
      {error !== null && <Trouble error={error} />}
      {data?.length === 0 && <p className="quiet">{t("quota.none")}</p>}
      <ul className="lines">
        {data?.map((one) => {
          const text = t("quota.used", { used: bytes(one.used), size: bytes(one.size) });
          return (
            <li key={one.name} className="quota">
              <span>
                <Text longest={60}>{one.name}</Text>{" "}
                <span className="quiet">
                  {one.account ?? t("quota.shared")} ·{" "}
                  <code>{<Text longest={60}>{one.rse_expression}</Text>}</code>
                </span>
              </span>
              <span>{text}</span>
              <Bar label={shown(one.name, 60)} used={one.used} of={one.size} text={text} />
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}
