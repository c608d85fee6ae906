import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { t } from "../i18n";
import { StateBadge } from "../jobs/StateBadge";
import { quoted } from "../jobs/search";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { KindSign } from "./Names";
import { type DidInfo, jobsWhere, parents } from "./queries";

/** Which jobs made a DID, and which read it: by its own name, or by that of a collection that it is in. */
export function Provenance({ shown }: { shown: DidInfo }) {
  const { data: above } = useQuery(parents(shown.did));
  const made = `output = ${quoted(shown.did)}`;
  const names = [shown.did, ...(above?.items.map((one) => one.did) ?? [])].map(quoted);
  const read = names.length === 1 ? `input = ${names[0]}` : `input in (${names.join(", ")})`;
  return (
    <div className="flow">
      <Jobs title={t("prov.madeBy")} where={made} none={t("prov.noMaker")} />
      <div className="flow-here card">
        <KindSign kind={shown.kind} />
        <strong>
          <Text longest={200}>{shown.did}</Text>
        </strong>
      </div>
      {above !== undefined && <Jobs title={t("prov.readBy")} where={read} none={t("prov.noReader")} />}
    </div>
  );
}

function Jobs({ title, where, none }: { title: string; where: string; none: string }) {
  const { data, error, refetch } = useQuery(jobsWhere(where));
  let body: ReactNode = <p className="quiet">{t("common.loading")}</p>;
  if (error !== null) body = <Trouble error={error} onRetry={refetch} />;
  else if (data?.items.length === 0) body = <p className="quiet">{none}</p>;
  else if (data !== undefined) {
    body = (
      <>
        <ul>
          {data.items.map((one) => (
            <li key={one.job_id}>
              <Link to="/jobs/$id" params={{ id: String(one.job_id) }}>
                {one.job_id}
              </Link>{" "}
              <StateBadge state={one.state} />{" "}
              <span className="quiet">
                <Text longest={80}>{one.name}</Text>
              </span>
            </li>
          ))}
        </ul>
        <Link to="/jobs" search={{ where, everybody: true }}>
          {t("prov.all")}
        </Link>
      </>
    );
  }
  return (
    <section className="card flow-jobs" aria-label={title}>
      <h2>{title}</h2>
      {body}
    </section>
  );
}
