import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { number, t } from "../i18n";
import { Empty } from "../kit/Empty";
import { type Column, Rows } from "../kit/Rows";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { useMore } from "../kit/useMore";
import { CopyMark } from "./CopyMark";
import { have, MOST_RSES, rsesOf } from "./matrix";
import { DidLink, KindSign } from "./Names";
import { type Content, contents, type DidInfo } from "./queries";

/** What is in a dataset or container: files with their replicas as a matrix, collections with what is below them. */
export function Contents({ shown }: { shown: DidInfo }) {
  const pages = useInfiniteQuery(contents(shown.did));
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  const columns = useMemo(() => columnsOf(rows, shown), [rows, shown]);
  const more = useMore(pages);
  return (
    <>
      {pages.error !== null && <Trouble error={pages.error} onRetry={pages.refetch} />}
      {pages.isPending && <p className="waiting">{t("common.loading")}</p>}
      {rows.length > 0 && (
        <>
          <p className="quiet" role="status">
            {pages.hasNextPage
              ? t("did.loaded", { count: number(rows.length) })
              : t("did.all", { count: number(rows.length) })}
          </p>
          <Rows
            label={t("did.contents")}
            rows={rows}
            columns={columns}
            keyOf={(one) => one.did}
            more={pages.hasNextPage}
            onEnd={more}
          />
        </>
      )}
      {pages.isSuccess && rows.length === 0 && (
        <Empty title={t("did.emptyTitle")}>
          <p>{t("did.empty")}</p>
          {shown.open && (
            <Link to="/data/upload" search={{ dataset: shown.did }} className="button primary">
              {t("did.addFiles")}
            </Link>
          )}
        </Empty>
      )}
    </>
  );
}

function columnsOf(rows: Content[], shown: DidInfo): Column<Content>[] {
  const first: Column<Content>[] = [
    {
      key: "did",
      label: t("data.col.name"),
      width: "minmax(16rem, 1fr)",
      narrow: "main",
      show: (one) => (
        <>
          <KindSign kind={one.kind} />
          <DidLink did={one.did} shown={one.did.startsWith(`${shown.scope}:`) ? nameOf(one.did) : one.did} />
        </>
      ),
    },
    {
      key: "size",
      label: t("data.col.size"),
      width: "6rem",
      align: "end",
      narrow: "side",
      show: (one) => bytes(one.below?.size ?? one.size ?? 0),
    },
  ];
  if (shown.kind === "container") {
    return [
      ...first,
      {
        key: "files",
        label: t("data.col.files"),
        width: "7rem",
        align: "end",
        narrow: "below",
        show: (one) => (one.below === undefined ? t("common.none") : number(one.below.files)),
      },
    ];
  }
  return [...first, ...matrix(rows)];
}

function matrix(rows: Content[]): Column<Content>[] {
  const rses = rsesOf(rows);
  const columns = rses.slice(0, MOST_RSES).map(
    (rse): Column<Content> => ({
      key: `rse ${rse}`,
      label: (
        <span
          className="rse"
          title={t("did.rseHas", { have: number(have(rows, rse)), of: number(rows.length) })}
        >
          <Text longest={40}>{rse}</Text>
        </span>
      ),
      width: "6rem",
      align: "centre",
      show: (one) => <CopyMark state={one.copies.find((copy) => copy.rse === rse)?.state} />,
    }),
  );
  if (rses.length > MOST_RSES) {
    const shown = new Set(rses.slice(0, MOST_RSES));
    columns.push({
      key: "others",
      label: t("did.others"),
      width: "5rem",
      align: "centre",
      show: (one) => one.copies.filter((copy) => !shown.has(copy.rse)).length || t("common.none"),
    });
  }
  columns.push({
    key: "copies",
    label: t("did.copies"),
    width: "0",
    narrow: "below",
    only: "narrow",
    show: (one) => <Narrow content={one} />,
  });
  return columns;
}

/** On a narrow screen, the row of the matrix in words. */
function Narrow({ content }: { content: Content }) {
  if (content.copies.length === 0) return <span>{t("copy.nowhere")}</span>;
  return (
    <span>
      {content.copies.map((one) => (
        <span key={one.rse} className="listed">
          <CopyMark state={one.state} /> <Text longest={40}>{one.rse}</Text>
        </span>
      ))}
    </span>
  );
}

const nameOf = (did: string): string => did.slice(did.indexOf(":") + 1);
