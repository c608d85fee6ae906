import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Panels } from "../extensions/Panels";
import { number, t } from "../i18n";
import { me } from "../jobs/queries";
import { Fact } from "../kit/Fact";
import { Moment } from "../kit/Moment";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { bytes } from "../kit/text";
import { moment } from "../kit/time";
import { Contents } from "./Contents";
import { Copies } from "./Copies";
import { download } from "./download";
import { History } from "./History";
import { Metadata } from "./Metadata";
import { DidLink, KindSign } from "./Names";
import { Provenance } from "./Provenance";
import { folderOf } from "./paths";
import { type DidInfo, did, maker, parents, rulesOn } from "./queries";
import { Rules } from "./Rules";
import { type DidTab, tabsOf } from "./tabs";

const route = getRouteApi("/data/did");
const WORST_FIRST = ["stuck", "waiting", "injecting", "replicating", "ok"] as const;

/** Everything about one file, dataset or container. */
export function DidPage() {
  const { did: name = "" } = route.useSearch();
  const { data, error, refetch } = useQuery(did(name));
  const subject = useMemo(() => ({ did: name }), [name]);
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <div className="page">
        <Trouble error={error} onRetry={refetch} />
      </div>
    );
  }
  return (
    <div className="page">
      <Folder did={data.did} />
      <Head shown={data} />
      {error !== null && <Trouble error={error} onRetry={refetch} />}
      <Facts shown={data} />
      <Parts shown={data} />
      <Panels place="did" subject={subject} />
    </div>
  );
}

function Folder({ did: name }: { did: string }) {
  const { data } = useQuery(me);
  return (
    <p className="crumb">
      {data === undefined ? (
        <Link to="/data">{t("data.title")}</Link>
      ) : (
        <Link to="/data" search={{ path: folderOf(data.vo, name) }}>
          <Text longest={120}>{folderOf(data.vo, name)}</Text>
        </Link>
      )}
    </p>
  );
}

function Head({ shown }: { shown: DidInfo }) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const get = () => {
    setBusy(true);
    setError(undefined);
    download(shown.did)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <>
      <div className="spread">
        <h1 className="did">
          <KindSign kind={shown.kind} />
          <Text longest={300}>{shown.did}</Text>
        </h1>
        <div className="buttons">
          {shown.kind === "file" ? (
            <>
              <MakeAgain did={shown.did} />
              <button type="button" className="button" disabled={busy} onClick={get}>
                {t("did.download")}
              </button>
            </>
          ) : (
            shown.kind === "dataset" &&
            shown.open && (
              <Link to="/data/upload" search={{ dataset: shown.did }} className="button">
                {t("did.addFiles")}
              </Link>
            )
          )}
          <Link to="/data/rule" search={{ did: shown.did }} className="button primary">
            {t("did.newRule")}
          </Link>
        </div>
      </div>
      {error !== undefined && <Trouble error={error} />}
    </>
  );
}

/** Leads to what the job did that made a file, to be done again: for a file that is lost, or that should be otherwise. */
function MakeAgain({ did: name }: { did: string }) {
  const { data } = useQuery(maker(name));
  if (data == null) return null;
  return (
    <Link to="/submit" search={{ again: data }} className="button">
      {t("did.again")}
    </Link>
  );
}

function Facts({ shown }: { shown: DidInfo }) {
  const { data: above } = useQuery(parents(shown.did));
  const isFile = shown.kind === "file";
  return (
    <dl className="facts card tight">
      <Fact name={t("data.kind")}>
        {t(`did.kind.${shown.kind}`)}
        {!isFile && <span className="quiet"> {t(shown.open ? "did.open" : "did.closed")}</span>}
        {shown.monotonic && <span className="quiet"> {t("did.monotonic")}</span>}
      </Fact>
      <Fact name={t("data.col.size")}>
        {bytes(isFile ? (shown.size ?? 0) : shown.total_size)}
        {!isFile && <span className="quiet"> {t("did.inFiles", { count: number(shown.files) })}</span>}
      </Fact>
      <Fact name={t("data.col.account")}>
        <Text longest={60}>{shown.account}</Text>
      </Fact>
      <Fact name={t("data.col.created")}>
        <Moment at={shown.created_at} />
      </Fact>
      {shown.adler32 !== null && (
        <Fact name={t("did.checksum")}>
          <code>adler32 {shown.adler32}</code>
        </Fact>
      )}
      {shown.guid != null && (
        <Fact name={t("did.guid")}>
          <code>{shown.guid}</code>
        </Fact>
      )}
      {shown.ends_at !== null && <Fact name={t("did.ends")}>{moment(shown.ends_at)}</Fact>}
      {shown.held !== null && (
        <Fact name={t("did.held")}>
          <Text>{shown.held}</Text>
        </Fact>
      )}
      {above !== undefined && above.items.length > 0 && (
        <Fact name={t("did.in")}>
          {above.items.map((one) => (
            <span key={one.did} className="listed">
              <DidLink did={one.did} longest={80} />
            </span>
          ))}
          {above.more && <span className="quiet">{t("did.andMore")}</span>}
        </Fact>
      )}
    </dl>
  );
}

function Parts({ shown }: { shown: DidInfo }) {
  const tabs = tabsOf(shown.kind);
  const { tab: asked } = route.useSearch();
  const tab = tabs.find((one) => one === asked) ?? tabs[0] ?? "rules";
  return (
    <>
      <nav className="tabs" aria-label={t("did.parts")}>
        {tabs.map((one, n) => (
          <Link
            key={one}
            to="/data/did"
            search={n === 0 ? { did: shown.did } : { did: shown.did, tab: one }}
            aria-current={one === tab ? "page" : undefined}
            className={one === tab ? "tab current" : "tab"}
            activeOptions={{ exact: true }}
            resetScroll={false}
          >
            {t(`did.tab.${one}`)}
            {one === "rules" && <HowMany did={shown.did} />}
          </Link>
        ))}
      </nav>
      <section aria-label={t(`did.tab.${tab}`)} className="part">
        <Part shown={shown} tab={tab} />
      </section>
    </>
  );
}

/** How many rules there are, and how the worst of them is. */
function HowMany({ did: name }: { did: string }) {
  const { data } = useQuery(rulesOn(name));
  if (data === undefined || data.items.length === 0) return null;
  const states = data.items.map((one) => one.state);
  const worst = WORST_FIRST.find((one) => states.includes(one)) ?? "ok";
  return (
    <span className={`tally ${worst}`} title={t(`rule.state.${worst}`)}>
      {data.next === null ? number(data.items.length) : t("did.orMore", { count: number(data.items.length) })}
    </span>
  );
}

function Part({ shown, tab }: { shown: DidInfo; tab: DidTab }) {
  switch (tab) {
    case "contents":
      return <Contents shown={shown} />;
    case "copies":
      return <Copies did={shown.did} />;
    case "rules":
      return <Rules did={shown.did} />;
    case "metadata":
      return <Metadata shown={shown} />;
    case "provenance":
      return <Provenance shown={shown} />;
    case "history":
      return <History shown={shown} />;
  }
}
