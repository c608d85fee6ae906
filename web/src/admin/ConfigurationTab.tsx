import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Moment } from "../kit/Moment";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { Changes } from "./Changes";
import { More } from "./More";
import { changes, versions } from "./queries";
import { Rollback } from "./Rollback";

const route = getRouteApi("/admin");

/** What was applied, by whom, what each version changed, and the way back to it. */
export function ConfigurationTab() {
  const { version } = route.useSearch();
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery(versions);
  if (error !== null) return <Trouble error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <p className="waiting">{t("common.loading")}</p>;
  const all = data.pages.flat();
  const newest = all[0]?.version;
  if (newest === undefined) {
    return (
      <Empty title={t("versions.emptyTitle")}>
        <p>{t("versions.empty")}</p>
      </Empty>
    );
  }
  const shown = version ?? newest;
  return (
    <div className="sides">
      <nav className="scroll" aria-label={t("versions.title")}>
        <ul className="versions">
          {all.map((one) => (
            <li key={one.version}>
              <Link
                to="/admin"
                search={{ tab: "configuration", version: one.version }}
                aria-current={one.version === shown ? "page" : undefined}
                resetScroll={false}
              >
                <b>{t("versions.version", { version: one.version })}</b> <Moment at={one.applied_at} />
                <br />
                <span className="quiet">
                  <Text longest={80}>{one.applied_by}</Text>
                  {one.comment !== null && (
                    <>
                      {": "}
                      <Text longest={120}>{one.comment}</Text>
                    </>
                  )}
                </span>
              </Link>
            </li>
          ))}
        </ul>
        <More has={hasNextPage} busy={isFetchingNextPage} onMore={() => void fetchNextPage()} />
      </nav>
      <Version version={shown} newest={newest} />
    </div>
  );
}

function Version({ version, newest }: { version: number; newest: number }) {
  const { data, error } = useQuery(changes(version));
  const back = version < newest ? <Rollback version={version} /> : undefined;
  return (
    <Panel title={t("versions.what", { version })} more={back}>
      {error !== null && <Trouble error={error} />}
      {data !== undefined && <Changes all={data} />}
    </Panel>
  );
}
