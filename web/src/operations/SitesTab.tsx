import { useQueries, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { number, t } from "../i18n";
import { jobsInWords } from "../jobs/actions";
import { me } from "../jobs/queries";
import { Bar } from "../kit/Bar";
import { Empty } from "../kit/Empty";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes, shown } from "../kit/text";
import { duration } from "../kit/time";
import { Announce } from "./Announce";
import { downtimes, fill, pilots, running, waiting } from "./queries";
import { Standing } from "./Standing";
import type { ResourceKind } from "./standing";
import { computeElements, sites, storages } from "./topology";

const route = getRouteApi("/operations");
type Asked = { kind: ResourceKind; name: string };

/** Every site with its CEs and RSEs: whether they can be used, how full they are, and what is announced. */
export function SitesTab() {
  const { site } = route.useSearch();
  const navigate = route.useNavigate();
  const [places, ces, rses] = useQueries({ queries: [sites, computeElements, storages] });
  const [asked, setAsked] = useState<Asked>();
  const { data: who } = useQuery(me);
  const error = places.error ?? ces.error ?? rses.error;
  if (error !== null) return <Trouble error={error} onRetry={() => void places.refetch()} />;
  if (!places.isSuccess || !ces.isSuccess || !rses.isSuccess)
    return <p className="waiting">{t("common.loading")}</p>;
  if (places.data.length === 0) {
    return (
      <Empty title={t("sites.emptyTitle")}>
        <p>{t("sites.empty")}</p>
      </Empty>
    );
  }
  const manages = who?.permissions.some((one) => one === "*" || one === "topology:manage") ?? false;
  const owned = [...places.data, ...ces.data, ...rses.data].some((one) => one.own);
  const asking = (own: boolean) => (manages && own ? setAsked : manages && owned ? null : undefined);
  const wanted = places.data.filter((one) => site === undefined || one.name === site);
  return (
    <div className="stack">
      {site !== undefined && (
        <button type="button" className="button" onClick={() => void navigate({ search: {} })}>
          {t("sites.all")}
        </button>
      )}
      {wanted.length === 0 && <p className="quiet">{t("sites.unknown", { site: shown(site ?? "", 80) })}</p>}
      <Waiting />
      <div className="scroll">
        <table className="resources" aria-label={t("operations.tab.sites")}>
          <thead>
            <tr>
              <th scope="col">{t("sites.name")}</th>
              <th scope="col">{t("sites.state")}</th>
              <th scope="col">{t("sites.fill")}</th>
              <th scope="col">{t("sites.details")}</th>
              {manages && owned && <th scope="col">{t("sites.action")}</th>}
            </tr>
          </thead>
          {wanted.map((one) => (
            <tbody key={one.name}>
              <Row
                kind="Site"
                name={one.name}
                site={one.name}
                enabled={one.enabled}
                onAsk={asking(one.own)}
                fill={<Jobs site={one.name} />}
              >
                {Object.entries(one.attributes)
                  .slice(0, 6)
                  .map(([name, value]) => `${name} ${String(value)}`)
                  .join(" · ")}
              </Row>
              {ces.data
                .filter((ce) => ce.site === one.name)
                .map((ce) => (
                  <Row
                    key={ce.name}
                    kind="ComputeElement"
                    name={ce.name}
                    site={one.name}
                    enabled={ce.enabled}
                    onAsk={asking(ce.own)}
                    fill={<Slots ce={ce.name} most={ce.max_pilots} />}
                  >
                    {`${ce.plugin} · ${t("sites.slot", { cores: ce.cores, memory: bytes(ce.memory), time: duration(secondsOf(ce.walltime)) })}`}
                  </Row>
                ))}
              {rses.data
                .filter((rse) => rse.site === one.name)
                .map((rse) => (
                  <Row
                    key={rse.name}
                    kind="RSE"
                    name={rse.name}
                    site={one.name}
                    enabled={rse.readable || rse.writable || rse.deletable}
                    onAsk={asking(rse.own)}
                    fill={<Space rse={rse.name} />}
                  >
                    {`${rse.plugin} · ${waysOf(rse)}`}
                  </Row>
                ))}
            </tbody>
          ))}
        </table>
      </div>
      {asked !== undefined && <Announce {...asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

type RowProps = {
  kind: ResourceKind;
  name: string;
  site: string;
  enabled: boolean;
  /** What the button does; null: this row has none, undefined: none has. */
  onAsk: ((asked: Asked) => void) | null | undefined;
  fill: ReactNode;
  children: string;
};

function Row({ kind, name, site, enabled, onAsk, fill, children }: RowProps) {
  const { data } = useQuery(downtimes);
  return (
    <tr className={kind === "Site" ? "site-row" : "at-site"}>
      <th scope="row">
        <span className="kind">{t(`kind.${kind}`)}</span> <Text longest={80}>{name}</Text>
      </th>
      <td data-label={t("sites.state")}>
        <Standing kind={kind} name={name} site={site} enabled={enabled} all={data ?? []} />
      </td>
      <td data-label={t("sites.fill")}>{fill}</td>
      <td data-label={t("sites.details")} className="quiet">
        <Text longest={160}>{children}</Text>
      </td>
      {onAsk !== undefined && (
        <td className="act">
          {onAsk !== null && (
            <button
              type="button"
              className="button small"
              aria-label={t("downtime.announceOf", { name: shown(name, 80) })}
              onClick={() => onAsk({ kind, name })}
            >
              {t("downtime.announce")}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}

/** Jobs that wait have no site yet: any that fits may take them. */
function Waiting() {
  const { data = 0 } = useQuery(waiting);
  if (data === 0) return null;
  return (
    <p>
      <Link to="/jobs" search={{ everybody: true, state: ["waiting"] }}>
        {t("sites.waiting", { jobs: jobsInWords(data) })}
      </Link>
    </p>
  );
}

function Jobs({ site }: { site: string }) {
  const { data } = useQuery(running);
  const count = data?.get(site) ?? 0;
  return <>{count === 1 ? t("sites.oneJob") : t("sites.jobs", { count: number(count) })}</>;
}

function Slots({ ce, most }: { ce: string; most: number }) {
  const { data } = useQuery(pilots(24));
  const found = data?.find((one) => one.ce === ce);
  if (found === undefined) return <span className="quiet">{t("sites.most", { most: number(most) })}</span>;
  const text = t("sites.pilots", {
    running: number(found.running),
    most: number(most),
    queued: number(found.new + found.submitted),
  });
  return (
    <div className="filled">
      <span>{text}</span>
      <Bar label={t("sites.slots", { ce })} used={found.running} of={most} text={text} kind="share" />
    </div>
  );
}

function Space({ rse }: { rse: string }) {
  const { data } = useQuery(fill);
  const found = data?.find((one) => one.rse === rse);
  if (found === undefined) return <span className="quiet">…</span>;
  const newest = [...found.reports].sort((a, b) => b.reported_at.localeCompare(a.reported_at))[0];
  const own = t("sites.own", { size: bytes(found.size), files: number(found.files) });
  if (newest === undefined || newest.free === null) return <>{own}</>;
  const all = newest.used + newest.free;
  const text = t("quota.used", { used: bytes(newest.used), size: bytes(all) });
  return (
    <div className="filled">
      <span title={own}>{text}</span>
      <Bar label={t("sites.space", { rse })} used={newest.used} of={all} text={text} />
      <span className="quiet">{own}</span>
    </div>
  );
}

function waysOf(rse: { readable: boolean; writable: boolean; deletable: boolean }): string {
  const ways = [
    rse.readable ? t("sites.readable") : undefined,
    rse.writable ? t("sites.writable") : undefined,
    rse.deletable ? t("sites.deletable") : undefined,
  ].filter((one) => one !== undefined);
  return ways.length === 0 ? t("sites.useless") : ways.join(", ");
}

/** Seconds of an ISO 8601 duration, as the API says wall times. */
function secondsOf(iso: string): number {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(iso);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = (found ?? [])
    .slice(1)
    .map((one) => Number(one ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}
