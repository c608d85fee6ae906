import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { number, t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Scroll } from "../kit/Scroll";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes, shown } from "../kit/text";
import { Choice } from "./Choice";
import { health, key, type Link, matrixOf } from "./matrix";
import { links, used } from "./queries";
import { HOURS } from "./tabs";

const route = getRouteApi("/operations");

/** What moves between RSEs: how fast, and where it fails. */
export function TransfersTab() {
  const { hours = 24 } = route.useSearch();
  const navigate = route.useNavigate();
  const arrived = useQuery(used(["source", "rse"], hours));
  const now = useQuery(links(hours));
  const error = arrived.error ?? now.error;
  if (error !== null) return <Trouble error={error} onRetry={() => void arrived.refetch()} />;
  if (arrived.data === undefined || now.data === undefined)
    return <p className="waiting">{t("common.loading")}</p>;
  const matrix = matrixOf(arrived.data, now.data);
  const failing = matrix.links.filter((one) => one.failed > 0).sort((a, b) => b.failed - a.failed);
  return (
    <div className="stack">
      <div className="spread">
        <p className="quiet">{t("transfers.help")}</p>
        <Choice
          label={t("operations.range")}
          all={HOURS}
          chosen={hours}
          text={(one) => t(one === 24 ? "operations.day" : "operations.week")}
          onChoose={(one) =>
            void navigate({ search: { tab: "transfers", ...(one === 24 ? {} : { hours: one }) } })
          }
        />
      </div>
      {matrix.links.length === 0 ? (
        <Empty title={t("transfers.emptyTitle")}>
          <p>{t("transfers.empty")}</p>
        </Empty>
      ) : (
        <Scroll>
          <table className="matrix" aria-label={t("transfers.matrix")}>
            <thead>
              <tr>
                <th scope="col">{t("transfers.fromTo")}</th>
                {matrix.rses.map((rse) => (
                  <th scope="col" key={rse}>
                    <Text longest={40}>{rse}</Text>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {matrix.sources.map((source) => (
                <tr key={source}>
                  <th scope="row">
                    <Text longest={40}>{source}</Text>
                  </th>
                  {matrix.rses.map((rse) => (
                    <Cell key={rse} link={matrix.at.get(key(source, rse))} hours={hours} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {failing.length > 0 && (
        <div className="card stack">
          <h2>{t("transfers.errors")}</h2>
          <ul className="lines">
            {failing.slice(0, 20).map((one) => (
              <li key={key(one.source, one.rse)}>
                <b>{`${shown(one.source, 40)} → ${shown(one.rse, 40)}`}</b>{" "}
                {t("transfers.failed", { count: number(one.failed) })}
                {one.error !== null && (
                  <span className="quiet">
                    {": "}
                    <Text longest={300}>{one.error}</Text>
                  </span>
                )}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

function Cell({ link, hours }: { link: Link | undefined; hours: number }) {
  if (link === undefined) return <td className="quiet nothing">{t("common.none")}</td>;
  const speed = t("transfers.speed", { rate: bytes(Math.round(link.size / (hours * 3600))) });
  return (
    <td className={`link ${health(link)}`}>
      <b>{bytes(link.size)}</b>
      <span>{`${t("transfers.files", { count: number(link.files) })} · ${speed}`}</span>
      {(link.active > 0 || link.failed > 0) && (
        <span>
          {link.active > 0 && t("transfers.active", { count: number(link.active) })}
          {link.active > 0 && link.failed > 0 && " · "}
          {link.failed > 0 && (
            <span className="fault">{t("transfers.failed", { count: number(link.failed) })}</span>
          )}
        </span>
      )}
    </td>
  );
}
