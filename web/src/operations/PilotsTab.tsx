import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { number, t } from "../i18n";
import { Bar } from "../kit/Bar";
import { Empty } from "../kit/Empty";
import { Scroll } from "../kit/Scroll";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { Choice } from "./Choice";
import { pilots, used } from "./queries";
import { HOURS } from "./tabs";

const route = getRouteApi("/operations");

/** Pilots by site and CE, and how much of the time that they gave was spent computing. */
export function PilotsTab() {
  const { hours = 24 } = route.useSearch();
  const navigate = route.useNavigate();
  const { data, error, isPending, refetch } = useQuery(pilots(hours));
  const { data: sums } = useQuery(used(["site", "kind"], hours));
  if (error !== null) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (isPending) return <p className="waiting">{t("common.loading")}</p>;
  const efficiency = new Map(
    sums
      ?.filter((one) => one.kind === "attempt" && one.wall > 0)
      .map((one) => [one.site, one.cpu / one.wall]),
  );
  return (
    <div className="stack">
      <div className="spread">
        <p className="quiet">{t("pilots.help")}</p>
        <Choice
          label={t("operations.range")}
          all={HOURS}
          chosen={hours}
          text={(one) => t(one === 24 ? "operations.day" : "operations.week")}
          onChoose={(one) =>
            void navigate({ search: { tab: "pilots", ...(one === 24 ? {} : { hours: one }) } })
          }
        />
      </div>
      {data.length === 0 ? (
        <Empty title={t("pilots.emptyTitle")}>
          <p>{t("pilots.empty")}</p>
        </Empty>
      ) : (
        <Scroll>
          <table className="numbers" aria-label={t("operations.tab.pilots")}>
            <thead>
              <tr>
                <th scope="col">{t("kind.Site")}</th>
                <th scope="col">{t("kind.ComputeElement")}</th>
                <th scope="col">{t("pilots.running")}</th>
                <th scope="col">{t("pilots.queued")}</th>
                <th scope="col">{t("pilots.done")}</th>
                <th scope="col">{t("pilots.failed")}</th>
                <th scope="col">{t("pilots.lost")}</th>
                <th scope="col">{t("pilots.unfit")}</th>
                <th scope="col">{t("pilots.efficiency")}</th>
              </tr>
            </thead>
            <tbody>
              {data.map((one) => (
                <tr key={`${one.site} ${one.ce}`}>
                  <td>
                    <Text longest={80}>{one.site}</Text>
                  </td>
                  <th scope="row">
                    <Text longest={80}>{one.ce}</Text>
                  </th>
                  <td>
                    {number(one.running)} <span className="quiet">/ {number(one.max_pilots)}</span>
                  </td>
                  <td>{number(one.new + one.submitted)}</td>
                  <td>{number(one.done)}</td>
                  <Bad count={one.failed} />
                  <Bad count={one.lost} />
                  <Bad count={one.unfit} />
                  <td>
                    <Efficiency site={one.site} part={efficiency.get(one.site)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </div>
  );
}

function Bad({ count }: { count: number }) {
  return <td className={count > 0 ? "fault" : "quiet"}>{number(count)}</td>;
}

function Efficiency({ site, part }: { site: string; part: number | undefined }) {
  if (part === undefined) return <span className="quiet">{t("common.none")}</span>;
  const text = t("pilots.percent", { percent: Math.round(part * 100) });
  return (
    <div className="efficiency">
      <span>{text}</span>
      <Bar label={t("pilots.efficiencyOf", { site })} used={part} of={1} text={text} kind="good" />
    </div>
  );
}
