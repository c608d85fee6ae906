import { Link } from "@tanstack/react-router";
import { number, t } from "../i18n";
import { DidLink, KindSign } from "./Names";
import { Rules } from "./Rules";
import type { Sending } from "./upload";

const MOST_SHOWN = 20;

/** Files that are in the catalogue now, and their rule, whose progress can be watched. */
export function Arrived({
  sendings,
  dataset,
  onMore,
}: {
  sendings: Sending[];
  dataset: string | undefined;
  onMore: () => void;
}) {
  const watched = dataset ?? (sendings.length === 1 ? sendings[0]?.did : undefined);
  return (
    <>
      <div className="card stack" role="status">
        <h2>
          {sendings.length === 1 ? t("upload.doneOne") : t("upload.done", { count: number(sendings.length) })}
        </h2>
        <ul className="chosen-files">
          {sendings.slice(0, MOST_SHOWN).map((one) => (
            <li key={one.did}>
              <KindSign kind="file" />
              <DidLink did={one.did} />
            </li>
          ))}
          {sendings.length > MOST_SHOWN && <li className="quiet">{t("did.andMore")}</li>}
        </ul>
        <div className="buttons">
          {dataset !== undefined && (
            <Link to="/data/did" search={{ did: dataset }} className="button primary">
              {t("upload.toDataset")}
            </Link>
          )}
          <button type="button" className="button" onClick={onMore}>
            {t("upload.more")}
          </button>
        </div>
      </div>
      {watched !== undefined && (
        <section className="stack" aria-label={t("did.tab.rules")}>
          <h2>{t("upload.rules")}</h2>
          <Rules did={watched} />
        </section>
      )}
    </>
  );
}
