import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { extensions } from "../extensions/queries";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { checks, vos } from "./queries";

const LOOK = { ok: "done", advised: "waiting", missing: "failed" };

/** What the VO is, and whether it has what it needs. */
export function VoTab() {
  const { data: who } = useQuery(me);
  const { data, error } = useQuery(vos);
  const [chosen, setChosen] = useState<string>();
  const vo = chosen ?? who?.vo;
  return (
    <div className="panels">
      <Panel title={t("vo.title")}>
        {error !== null && <Trouble error={error} />}
        <ul className="lines">
          {data?.map((one) => (
            <li key={one.vo}>
              <button type="button" className="plain" onClick={() => setChosen(one.name)}>
                {one.name}
              </button>
              {typeof one.alias === "string" && (
                <span className="quiet"> {t("vo.alias", { alias: one.alias })}</span>
              )}
              <br />
              <span className="quiet">
                {t(one.passwords ? "vo.passwords" : "vo.noPasswords")}{" "}
                {t("vo.reschedules", { count: one.max_reschedules ?? 0 })}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      {vo !== undefined && <Checks vo={vo} />}
      <Unfit />
    </div>
  );
}

/** What the VO has put beside the page and that is not fit to be a part of it. */
function Unfit() {
  const { data } = useQuery(extensions);
  if (data?.unfit == null || data.unfit.length === 0) return null;
  return (
    <Panel title={t("extension.unfit")}>
      <ul className="lines">
        {data.unfit.map((one) => (
          <li key={one.name}>
            <b>
              <Text longest={60}>{one.name}</Text>
            </b>{" "}
            <Text longest={400}>{one.reason}</Text>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Checks({ vo }: { vo: string }) {
  const { data, error } = useQuery(checks(vo));
  return (
    <Panel title={t("vo.checks", { vo })}>
      {error !== null && <Trouble error={error} />}
      <ul className="lines">
        {data?.map((one) => (
          <li key={one.what}>
            <span className={`state ${LOOK[one.outcome]}`}>{t(`vo.${one.outcome}`)}</span> <b>{one.what}</b>{" "}
            <Text longest={400}>{one.found}</Text>
            {one.next !== null && one.next !== undefined && (
              <p className="quiet">
                <Text longest={400}>{one.next}</Text>
              </p>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
