import { t } from "../i18n";
import { Text } from "../kit/Text";
import { differences } from "./differences";
import type { Change } from "./queries";

const LOOK = { created: "done", changed: "running", removed: "failed" };

/** What is other than before, document by document and field by field. */
export function Changes({ all }: { all: readonly Change[] }) {
  if (all.length === 0) return <p className="quiet">{t("versions.nothing")}</p>;
  return (
    <ul className="lines">
      {all.map((one) => (
        <li key={`${one.kind} ${one.vo} ${one.name}`}>
          <span className={`state ${LOOK[one.action]}`}>{t(`versions.${one.action}`)}</span>{" "}
          <b>
            {one.kind} <Text longest={120}>{one.name}</Text>
          </b>{" "}
          <span className="quiet">
            <Text longest={63}>{one.vo}</Text>
          </span>
          <dl className="diff">
            {differences(one.before, one.after).map(({ path, before, after }) => (
              <div key={path}>
                <dt>
                  <Text longest={120}>{path}</Text>
                </dt>
                {before !== undefined && (
                  <dd className="minus">
                    <del>
                      <Text longest={1000}>{before}</Text>
                    </del>
                  </dd>
                )}
                {after !== undefined && (
                  <dd className="plus">
                    <ins>
                      <Text longest={1000}>{after}</Text>
                    </ins>
                  </dd>
                )}
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}
