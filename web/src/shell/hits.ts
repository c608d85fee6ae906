/** Asks the server for what a text in the search box may mean. */
import type { QueryClient } from "@tanstack/react-query";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { quoted } from "../jobs/search";
import { computeElements, sites as sitesQuery, storages } from "../operations/topology";
import { dataPath, type Meant, meant } from "./finding";

export type Hit = { kind: string; name: string; detail?: string; to: string };

const MOST = 6;
/** Shorter beginnings of names mean too much to be looked for among all files. */
const SHORTEST = 3;

/** What there is of that which a text may mean; what cannot be found or seen is left out. */
export async function hits(text: string, cache: QueryClient, signal: AbortSignal): Promise<Hit[]> {
  const asked = meant(text).flatMap((one) => asks(one, cache, signal));
  const found = await Promise.allSettled(asked);
  return found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
}

function asks(one: Meant, cache: QueryClient, signal: AbortSignal): Promise<Hit[]>[] {
  switch (one.kind) {
    case "number":
      return [job(one.id, signal), rule(one.id, signal)];
    case "did":
      return [dids({ scope: one.scope, prefix: one.name }, signal)];
    case "path":
      return [path(one.path, signal)];
    case "word": {
      const places = topology(one.word, cache);
      if (one.word.length < SHORTEST) return [places];
      const where = `name like ${quoted(`${one.word}*`)}`;
      return [places, jobs(one.word, where, signal), dids({ where }, signal)];
    }
  }
}

async function job(id: number, signal: AbortSignal): Promise<Hit[]> {
  const found = await answer(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal }));
  const detail = `${found.name} · ${found.state}`;
  return [{ kind: t("find.job"), name: String(id), detail, to: `/jobs/${id}` }];
}

async function rule(id: number, signal: AbortSignal): Promise<Hit[]> {
  const found = await answer(api.GET("/v1/rules/{rule_id}", { params: { path: { rule_id: id } }, signal }));
  const detail = `${found.did} · ${found.state}`;
  return [{ kind: t("find.rule"), name: String(id), detail, to: dataPath(found.did) }];
}

type Dids = { scope: string; prefix: string } | { where: string };

async function dids(asked: Dids, signal: AbortSignal): Promise<Hit[]> {
  const query = { ...asked, limit: MOST };
  const found = await answer(api.GET("/v1/dids", { params: { query }, signal }));
  return found.items.map((one) => {
    const did = `${one.scope}:${one.name}`;
    return { kind: one.kind, name: did, to: dataPath(did) };
  });
}

async function path(path: string, signal: AbortSignal): Promise<Hit[]> {
  const asked = path.replace(/^\/+/, "").replace(/\/+$/, "");
  const found = await answer(api.GET("/v1/paths/{path}", { params: { path: { path: asked } }, signal }));
  return [
    {
      kind: t("find.path"),
      name: path,
      to: `/data?path=${encodeURIComponent(`/${asked}`)}`,
      ...detailOf(found),
    },
  ];
}

function detailOf(found: object): { detail?: string } {
  return "kind" in found && typeof found.kind === "string" ? { detail: found.kind } : {};
}

async function jobs(word: string, where: string, signal: AbortSignal): Promise<Hit[]> {
  const found = await answer(api.GET("/v1/jobs", { params: { query: { where, limit: 1 } }, signal }));
  if (found.items.length === 0) return [];
  const search = `where=${encodeURIComponent(where)}&everybody=true`;
  return [{ kind: t("find.jobs"), name: t("find.jobsCalled", { word }), to: `/jobs?${search}` }];
}

async function topology(word: string, cache: QueryClient): Promise<Hit[]> {
  const [places, ces, rses] = await Promise.all([
    cache.fetchQuery(sitesQuery),
    cache.fetchQuery(computeElements),
    cache.fetchQuery(storages),
  ]);
  const low = word.toLowerCase();
  const fits = (one: { name: string }) => one.name.toLowerCase().includes(low);
  const at = (site: string) => `/operations?site=${encodeURIComponent(site)}`;
  return [
    ...places.filter(fits).map((one) => ({ kind: t("find.site"), name: one.name, to: at(one.name) })),
    ...ces
      .filter(fits)
      .map((one) => ({ kind: t("find.ce"), name: one.name, detail: one.site, to: at(one.site) })),
    ...rses
      .filter(fits)
      .map((one) => ({ kind: t("find.rse"), name: one.name, detail: one.site, to: at(one.site) })),
  ].slice(0, MOST);
}
