import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { moment } from "../kit/time";
import { downtimes } from "../operations/queries";

const SHOWN = 8;

/** What is down, or is announced to be; nothing when nothing is. */
export function Downtimes() {
  const { data } = useQuery(downtimes);
  if (data === undefined || data.length === 0) return null;
  const all = [...data].sort((a, b) => a.begins_at.localeCompare(b.begins_at));
  return (
    <Panel title={t("home.downtimes")}>
      <ul className="lines">
        {all.slice(0, SHOWN).map((one) => (
          <li key={one.downtime_id}>
            <span className={one.begun ? "state failed" : "state waiting"}>
              {t(one.begun ? "standing.down" : "home.announced")}
            </span>{" "}
            <Link to="/operations" search={{ site: one.site }}>
              <Text longest={80}>{one.name}</Text>
            </Link>{" "}
            <span className="quiet">
              {one.begun
                ? one.ends_at === null
                  ? t("downtime.open")
                  : t("downtime.until", { end: moment(one.ends_at) })
                : t("downtime.from", { begin: moment(one.begins_at) })}
              {": "}
              <Text longest={120}>{one.reason}</Text>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
