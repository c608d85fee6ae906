import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Quotas } from "../home/Quotas";
import { number, t } from "../i18n";
import { Bar } from "../kit/Bar";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes, shown } from "../kit/text";
import { usage } from "./queries";
import { UsagePlot } from "./UsagePlot";

type Pair = { account: string; rse: string };

/** Quotas of the VO, and who keeps how much where. */
export function StorageTab() {
  const { data, error, refetch } = useQuery(usage);
  const [pair, setPair] = useState<Pair>();
  if (error !== null) return <Trouble error={error} onRetry={() => void refetch()} />;
  const all = [...(data ?? [])].sort((a, b) => b.size - a.size);
  const most = all[0]?.size ?? 0;
  return (
    <div className="panels">
      <Quotas />
      <Shares title={t("storage.byRse")} all={all} of={(one) => one.rse} />
      <Shares title={t("storage.byAccount")} all={all} of={(one) => one.account} />
      <Panel title={t("storage.pairs")}>
        {data?.length === 0 && <p className="quiet">{t("storage.none")}</p>}
        {all.length > 0 && (
          <table className="numbers" aria-label={t("storage.pairs")}>
            <thead>
              <tr>
                <th scope="col">{t("storage.account")}</th>
                <th scope="col">{t("kind.RSE")}</th>
                <th scope="col">{t("storage.files")}</th>
                <th scope="col">{t("storage.size")}</th>
              </tr>
            </thead>
            <tbody>
              {all.slice(0, 50).map((one) => (
                <tr key={`${one.account} ${one.rse}`}>
                  <th scope="row">
                    <button type="button" className="plain" onClick={() => setPair(one)}>
                      {shown(one.account, 60)}
                    </button>
                  </th>
                  <td>
                    <Text longest={60}>{one.rse}</Text>
                  </td>
                  <td>{number(one.files)}</td>
                  <td>
                    {bytes(one.size)}
                    <Bar
                      label={t("storage.share", { account: one.account, rse: one.rse })}
                      used={one.size}
                      of={most}
                      text={bytes(one.size)}
                      kind="share"
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Panel>
      {pair !== undefined && <UsagePlot {...pair} />}
    </div>
  );
}

type Row = { account: string; rse: string; files: number; size: number };

function Shares({ title, all, of }: { title: string; all: Row[]; of: (one: Row) => string }) {
  const sums = new Map<string, number>();
  for (const one of all) sums.set(of(one), (sums.get(of(one)) ?? 0) + one.size);
  const ranked = [...sums].sort((a, b) => b[1] - a[1]).slice(0, 12);
  const total = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return (
    <Panel title={title}>
      {ranked.length === 0 && <p className="quiet">{t("storage.none")}</p>}
      <ul className="lines">
        {ranked.map(([name, size]) => (
          <li key={name} className="quota">
            <Text longest={60}>{name}</Text>
            <span>{bytes(size)}</span>
            <Bar label={shown(name, 60)} used={size} of={total} text={bytes(size)} kind="share" />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
