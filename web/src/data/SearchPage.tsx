import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type FormEvent, useEffect, useId, useState } from "react";
import { number, t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Moment } from "../kit/Moment";
import { type Column, Rows } from "../kit/Rows";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes, shown } from "../kit/text";
import { useMore } from "../kit/useMore";
import { DataHead } from "./DataHead";
import { DidLink, KindSign } from "./Names";
import { didPages, type FoundDid, metadataKeys, scopes } from "./queries";
import { type DidSearch, isNarrowed, KINDS, withChip, withSaid } from "./search";

const route = getRouteApi("/data/search");
/** Of so many keys with a vocabulary there are chips, so many of each. */
const MOST_KEYS = 4;
const MOST_WORDS = 10;

type Props = { search: DidSearch; onChange: (search: DidSearch) => void };

/** Data that a query of metadata finds; what the URL says of it is all there is to share. */
export function SearchPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (next: DidSearch) => void navigate({ search: next });
  const pages = useInfiniteQuery(didPages(search));
  const dids = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const more = useMore(pages);
  const empty = pages.isSuccess && dids.length === 0;
  // A page may be empty before the end of the search.
  useEffect(() => {
    if (empty) more();
  }, [empty, more]);
  return (
    <div className="page">
      <DataHead current="search" />
      <Bar key={`${search.where} ${search.prefix} ${search.within}`} search={search} onChange={change} />
      <Chips search={search} onChange={change} />
      {pages.error !== null && <Trouble error={pages.error} onRetry={pages.refetch} />}
      <p className="quiet" role="status">
        {dids.length > 0 &&
          (isNarrowed(search)
            ? t(pages.hasNextPage ? "data.foundMore" : "data.found", { count: number(dids.length) })
            : t("data.newest"))}
      </p>
      {dids.length > 0 && (
        <Rows
          label={t("data.table")}
          rows={dids}
          columns={COLUMNS}
          keyOf={(one) => one.did}
          more={pages.hasNextPage}
          onEnd={more}
        />
      )}
      {(pages.isPending || pages.isFetchingNextPage) && <p className="waiting">{t("common.loading")}</p>}
      {empty && !pages.hasNextPage && <Nothing search={search} onChange={change} />}
    </div>
  );
}

function Bar({ search, onChange }: Props) {
  const [where, setWhere] = useState(search.where ?? "");
  const [prefix, setPrefix] = useState(search.prefix ?? "");
  const [within, setWithin] = useState(search.within ?? "");
  const field = useId();
  const find = (event: FormEvent) => {
    event.preventDefault();
    onChange(withSaid(search, { where, prefix, within }));
  };
  return (
    <search className="search">
      <form id={`${field}-form`} onSubmit={find}>
        <label htmlFor={field} className="sr-only">
          {t("data.query")}
        </label>
        <input
          id={field}
          type="search"
          className="where"
          placeholder={t("data.queryHint")}
          spellCheck={false}
          autoCapitalize="none"
          value={where}
          onChange={(event) => setWhere(event.target.value)}
        />
        <button type="submit" className="button">
          {t("jobs.find")}
        </button>
      </form>
      <Scopes search={search} onChange={onChange} />
      {isNarrowed(search) && (
        <button type="button" className="button quiet" onClick={() => onChange({})}>
          {t("jobs.clear")}
        </button>
      )}
      <details
        className="help"
        open={search.prefix !== undefined || search.within !== undefined || undefined}
      >
        <summary>{t("data.moreSearch")}</summary>
        <div className="columns">
          <div className="field">
            <label htmlFor={`${field}-prefix`}>{t("data.prefix")}</label>
            <input
              id={`${field}-prefix`}
              form={`${field}-form`}
              spellCheck={false}
              value={prefix}
              onChange={(event) => setPrefix(event.target.value)}
            />
            <label htmlFor={`${field}-within`}>{t("data.within")}</label>
            <input
              id={`${field}-within`}
              form={`${field}-form`}
              spellCheck={false}
              placeholder="mc:run7"
              value={within}
              onChange={(event) => setWithin(event.target.value)}
            />
            <label className="check">
              <input
                type="checkbox"
                checked={search.inherit === true}
                onChange={(event) =>
                  onChange(withSaid(search, { inherit: event.target.checked || undefined }))
                }
              />
              {t("data.inherit")}
            </label>
          </div>
          <Language />
        </div>
      </details>
    </search>
  );
}

function Scopes({ search, onChange }: Props) {
  const { data = [] } = useQuery(scopes);
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="sr-only">
        {t("data.scope")}
      </label>
      <select
        id={id}
        value={search.scope ?? ""}
        onChange={(event) => onChange(withSaid(search, { scope: event.target.value }))}
      >
        <option value="">{t("data.everyScope")}</option>
        {data.map((one) => (
          <option key={one.name} value={one.name}>
            {shown(one.name, 60)}
          </option>
        ))}
      </select>
    </>
  );
}

function Language() {
  const { data = [] } = useQuery(metadataKeys);
  return (
    <div className="field">
      <p>{t("data.language")}</p>
      {data.length > 0 && (
        <p>
          {t("data.keys")}{" "}
          {data.map((key) => (
            <span key={key.name} className="key" title={shown(key.description ?? "", 300)}>
              <code>{shown(key.name, 60)}</code>{" "}
              <span className="quiet">
                {key.kind}
                {key.unit === null ? "" : `, ${shown(key.unit, 20)}`}
              </span>
            </span>
          ))}
        </p>
      )}
    </div>
  );
}

function Chips({ search, onChange }: Props) {
  const { data = [] } = useQuery(metadataKeys);
  const keys = data.filter((one) => one.vocabulary !== null).slice(0, MOST_KEYS);
  return (
    <div className="chips">
      <fieldset className="chip-row wide">
        <legend>{t("data.kind")}</legend>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            className="chip"
            aria-pressed={search.kind === kind}
            onClick={() => onChange(withSaid(search, { kind: search.kind === kind ? undefined : kind }))}
          >
            {t(`data.kinds.${kind}`)}
          </button>
        ))}
      </fieldset>
      {keys.map((key) => (
        <fieldset key={key.name} className="chip-row wide">
          <legend>
            <bdi>{shown(key.name, 20)}</bdi>
          </legend>
          {key.vocabulary?.slice(0, MOST_WORDS).map((word) => (
            <button
              key={word}
              type="button"
              className="chip"
              aria-pressed={search.said?.includes(`${key.name}=${word}`) ?? false}
              onClick={() => onChange(withChip(search, `${key.name}=${word}`))}
            >
              <bdi>{shown(word, 40)}</bdi>
            </button>
          ))}
        </fieldset>
      ))}
    </div>
  );
}

const NONE = <span className="quiet">{t("common.none")}</span>;
const COLUMNS: Column<FoundDid>[] = [
  {
    key: "did",
    label: t("data.col.did"),
    width: "minmax(16rem, 1fr)",
    narrow: "main",
    show: (one) => (
      <>
        <KindSign kind={one.kind} />
        <DidLink did={one.did} />
      </>
    ),
  },
  {
    key: "files",
    label: t("data.col.files"),
    width: "7rem",
    align: "end",
    show: (one) => (one.below === undefined ? NONE : number(one.below.files)),
  },
  {
    key: "size",
    label: t("data.col.size"),
    width: "6.500rem",
    align: "end",
    narrow: "side",
    show: (one) => bytes(one.below?.size ?? one.size ?? 0),
  },
  {
    key: "account",
    label: t("data.col.account"),
    width: "9rem",
    show: (one) => <Text longest={60}>{one.account}</Text>,
  },
  {
    key: "created",
    label: t("data.col.created"),
    width: "8rem",
    narrow: "below",
    show: (one) => <Moment at={one.created_at} />,
  },
];

function Nothing({ search, onChange }: Props) {
  return (
    <Empty title={t("data.nothingTitle")}>
      <p>{t(isNarrowed(search) ? "data.nothing" : "data.noData")}</p>
      {isNarrowed(search) && (
        <button type="button" className="button" onClick={() => onChange({})}>
          {t("jobs.clear")}
        </button>
      )}
    </Empty>
  );
}
