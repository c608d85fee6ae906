import { answer, api } from "../api/client";
import { Problem } from "../api/problem";
import { t } from "../i18n";

/** Nobody can read the file now, or none of its storages signs for browsers. */
const noWay = () => new Problem(409, { code: "no_replica_now", detail: t("did.noReplicaNow") });

/**
 * Have the browser download a file from the storage nearest to hand: a signed URL that it navigates to. The storage
 * sends it as a file to keep, so the page stays. Raises a `Problem`.
 */
export async function download(did: string): Promise<void> {
  const { files } = await answer(api.POST("/v1/replicas/access", { body: { dids: [did] } }));
  const sources = files[0]?.sources ?? [];
  if (sources.length === 0) throw noWay();
  let refused: unknown;
  for (const source of sources) {
    try {
      const body = { rse: source.rse, urls: [source.url] };
      const { urls } = await answer(api.POST("/v1/replicas/signed-urls", { body }));
      if (urls[0] !== undefined) return location.assign(urls[0]);
    } catch (error) {
      refused = error;
    }
  }
  throw refused ?? noWay();
}
