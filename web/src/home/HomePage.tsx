import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { useNews } from "../jobs/useNews";
import { seldom } from "../kit/seldom";
import { Trouble } from "../kit/Trouble";
import { Changes } from "./Changes";
import { Downtimes } from "./Downtimes";
import { Quotas } from "./Quotas";
import { Risk } from "./Risk";
import { Work } from "./Work";

/** As long as jobs move they are counted anew so often: an account may have millions. */
const COUNTED = 10_000;

/** What somebody wants to know first: my work, my data, my room, and what is new. */
export function HomePage() {
  const { data, error, refetch } = useQuery(me);
  const cache = useQueryClient();
  const news = useMemo(() => {
    // An answer that is awaited is not asked for anew: while jobs move, none would ever come.
    const ask = () => cache.invalidateQueries({ queryKey: ["jobs", "home"] }, { cancelRefetch: false });
    return seldom(() => void ask(), COUNTED);
  }, [cache]);
  useEffect(() => news.end, [news]);
  useNews(false, news.ask);
  if (data === undefined) {
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={refetch} />
    );
  }
  return (
    <div className="page home">
      <h1>{t("home.title")}</h1>
      <Work account={data.account} />
      <div className="panels">
        <Changes account={data.account} />
        <Risk account={data.account} />
        <Downtimes />
        <Quotas account={data.account} />
      </div>
    </div>
  );
}
