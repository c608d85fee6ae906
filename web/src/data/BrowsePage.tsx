import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { number, t } from "../i18n";
import { me } from "../jobs/queries";
import { Empty } from "../kit/Empty";
import { Moment } from "../kit/Moment";
import { type Column, Rows } from "../kit/Rows";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { useMore } from "../kit/useMore";
import { DataHead } from "./DataHead";
import { DidLink, KindSign } from "./Names";
import { crumbs, lastOf } from "./paths";
import { directory, type Entry } from "./queries";

const route = getRouteApi("/data");

/** The catalogue as a tree: what is directly in a directory, and how much is below it. */
export function BrowsePage() {
  const { path } = route.useSearch();
  const { data, error, refetch } = useQuery({ ...me, enabled: path === undefined });
  const where = path ?? (data === undefined ? undefined : `/${data.vo}/`);
  return (
    <div className="page">
      <DataHead current="browse" />
      {error !== null && <Trouble error={error} onRetry={refetch} />}
      {where !== undefined && <Directory path={where} />}
    </div>
  );
}

function Directory({ path }: { path: string }) {
  const pages = useInfiniteQuery(directory(path));
  const first = pages.data?.pages[0];
  const entries = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const more = useMore(pages);
  return (
    <>
      <div className="spread">
        <Crumbs path={path} />
        {first?.directory != null && (
          <span className="quiet" role="status">
            {t("data.below", { files: number(first.directory.files), size: bytes(first.directory.size) })}
          </span>
        )}
      </div>
      {first?.did != null && (
        <p className="card">
          {t("data.alsoDid")} <DidLink did={first.did.did} />
        </p>
      )}
      {pages.error !== null && <Trouble error={pages.error} onRetry={pages.refetch} />}
      {pages.isPending && <p className="waiting">{t("common.loading")}</p>}
      {entries.length > 0 && (
        <Rows
          label={t("data.entries")}
          rows={entries}
          columns={COLUMNS}
          keyOf={(one) => one.path}
          more={pages.hasNextPage}
          onEnd={more}
        />
      )}
      {pages.isSuccess && entries.length === 0 && first?.did == null && <Nothing path={path} />}
    </>
  );
}

function Crumbs({ path }: { path: string }) {
  const parts = crumbs(path);
  return (
    <nav aria-label={t("data.crumbs")} className="crumbs">
      {parts.map((one, n) => (
        <span key={one.path}>
          <span aria-hidden="true">/</span>
          <Link
            to="/data"
            search={{ path: one.path }}
            aria-current={n === parts.length - 1 ? "page" : undefined}
            className={n === parts.length - 1 ? "here" : undefined}
          >
            <Text longest={60}>{one.name}</Text>
          </Link>
        </span>
      ))}
    </nav>
  );
}

function Name({ entry }: { entry: Entry }) {
  const name = lastOf(entry.path);
  return (
    <>
      <KindSign kind={entry.kind} />
      {entry.did === null ? (
        <Link to="/data" search={{ path: entry.path }}>
          <Text longest={200}>{name}</Text>
        </Link>
      ) : (
        <DidLink did={entry.did} shown={name} />
      )}
    </>
  );
}

const NONE = <span className="quiet">{t("common.none")}</span>;
const COLUMNS: Column<Entry>[] = [
  {
    key: "name",
    label: t("data.col.name"),
    width: "minmax(14rem, 1fr)",
    narrow: "main",
    show: (one) => <Name entry={one} />,
  },
  {
    key: "files",
    label: t("data.col.files"),
    width: "7rem",
    align: "end",
    narrow: "below",
    show: (one) => (one.files === null ? NONE : <span>{number(one.files)}</span>),
  },
  {
    key: "size",
    label: t("data.col.size"),
    width: "6.500rem",
    align: "end",
    narrow: "side",
    show: (one) => (one.size === null ? NONE : bytes(one.size)),
  },
  {
    key: "account",
    label: t("data.col.account"),
    width: "9rem",
    show: (one) => (one.account === null ? NONE : <Text longest={60}>{one.account}</Text>),
  },
  {
    key: "created",
    label: t("data.col.created"),
    width: "8rem",
    show: (one) => (one.created_at === null ? NONE : <Moment at={one.created_at} />),
  },
];

function Nothing({ path }: { path: string }) {
  const isRoot = crumbs(path).length < 2;
  return (
    <Empty title={t(isRoot ? "data.noScopesTitle" : "data.emptyTitle")}>
      <p>{t(isRoot ? "data.noScopes" : "data.empty")}</p>
      {!isRoot && (
        <Link to="/data/upload" className="button primary">
          {t("data.upload")}
        </Link>
      )}
    </Empty>
  );
}
