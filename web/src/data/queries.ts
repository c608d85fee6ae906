/** What is asked of the server about data, each under the key by which it is remembered. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";
import { lines } from "./lines";
import { type DidSearch, didQuery } from "./search";
import type { Lines } from "./stream";

export type Did = Schemas["DidOut"];
export type DidInfo = Schemas["DidInfo"];
export type Entry = Schemas["EntryOut"];
export type Rule = Schemas["RuleOut"];
export type MetadataKey = Schemas["MetadataKeyOut"];
export type Tally = { files: number; size: number };
/** A DID of a search, with what is below it. */
export type FoundDid = Did & { below: Tally | undefined };
export type Copy = { rse: string; state: string };
/** What is directly in a collection; a file with its replicas, a collection with what is below it. */
export type Content = {
  did: string;
  kind: string;
  size: number | null;
  adler32: string | null;
  copies: Copy[];
  below: Tally | undefined;
};
export type Listed = {
  did: string;
  kind: string;
  open: boolean;
  size: number | null;
  adler32: string | null;
};
export type Detached = { did: string; kind: string; size: number | null; detached_at: string };

const PAGE = 200;
const POLL = 2_000;
/** After so many answers, what is still under way is asked about less often. */
const PATIENT = 60;
const SELDOM = 15_000;
/** As long as no more pages are loaded, copies that are under way are followed. */
const FOLLOWED = 2;
const SETTLING = ["injecting", "replicating"];

/** A directory of the catalogue, a page at a time. */
export function directory(path: string) {
  return infiniteQueryOptions({
    queryKey: ["data", "path", path],
    initialPageParam: "",
    getNextPageParam: (page: Schemas["PathOut"]) => page.next ?? undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = { sizes: true, limit: PAGE, ...(pageParam === "" ? {} : { cursor: pageParam }) };
      const inside = path.replace(/^\//, "");
      return answer(api.GET("/v1/paths/{path}", { params: { path: { path: inside }, query }, signal }));
    },
  });
}

/** The DIDs of a search, a page at a time. */
export function didPages(search: DidSearch) {
  const asked = didQuery(search);
  return infiniteQueryOptions({
    queryKey: ["data", "search", asked],
    initialPageParam: "",
    getNextPageParam: (page: { items: FoundDid[]; next: string | null }) => page.next ?? undefined,
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...asked, limit: PAGE, ...(pageParam === "" ? {} : { cursor: pageParam }) };
      const page = await answer(api.GET("/v1/dids", { params: { query }, signal }));
      const below = await tallies(
        page.items.filter((one) => one.kind !== "file").map((one) => one.did),
        signal,
      );
      return { items: page.items.map((one) => ({ ...one, below: below.get(one.did) })), next: page.next };
    },
  });
}

async function tallies(dids: string[], signal: AbortSignal): Promise<Map<string, Tally>> {
  if (dids.length === 0) return new Map();
  const found = await answer(api.POST("/v1/tallies", { body: { dids }, signal }));
  return new Map(found.map((one) => [one.did, { files: one.files, size: one.total_size }]));
}

export const scopes = queryOptions({
  queryKey: ["data", "scopes"],
  queryFn: () => answer(api.GET("/v1/scopes")),
  staleTime: 60_000,
});

export const metadataKeys = queryOptions({
  queryKey: ["data", "keys"],
  queryFn: () => answer(api.GET("/v1/metadata/keys")),
  staleTime: 60_000,
});

export const rses = queryOptions({
  queryKey: ["data", "rses"],
  queryFn: () => answer(api.GET("/v1/rses")),
  staleTime: 60_000,
});

/** A DID, with the files and bytes below it. */
export function did(name: string) {
  return queryOptions({
    queryKey: ["did", name],
    queryFn: ({ signal }) => answer(api.GET("/v1/dids/{did}", { params: { path: { did: name } }, signal })),
  });
}

/** What is directly in a collection, a page at a time, each file with its replicas. */
export function contents(name: string) {
  return infiniteQueryOptions({
    queryKey: ["did", name, "contents"],
    initialPageParam: 0,
    getNextPageParam: (page: { items: Content[]; next: number | null }) => page.next ?? undefined,
    queryFn: async ({ pageParam, signal }) => {
      const params = { path: { did: name }, query: { limit: PAGE, cursor: pageParam } };
      const said: unknown = await answer(api.GET("/v1/contents/{did}", { params, signal }));
      const page = said as { items: Omit<Content, "copies" | "below">[]; next: number | null };
      const [copies, below] = await Promise.all([
        copiesOf(
          page.items.filter((one) => one.kind === "file").map((one) => one.did),
          signal,
        ),
        tallies(
          page.items.filter((one) => one.kind !== "file").map((one) => one.did),
          signal,
        ),
      ]);
      const items = page.items.map((one) => ({
        ...one,
        copies: copies.get(one.did) ?? [],
        below: below.get(one.did),
      }));
      return { items, next: page.next };
    },
    // What has been loaded far down is not read anew all the time.
    refetchInterval: (query) => {
      const pages = query.state.data?.pages ?? [];
      const coming = pages.some((page) => page.items.some((one) => one.copies.some(isComing)));
      return coming && pages.length <= FOLLOWED && pause(query);
    },
  });
}

const pause = (query: { state: { dataUpdateCount: number } }) =>
  query.state.dataUpdateCount > PATIENT ? SELDOM : POLL;
const isComing = (copy: Copy) => copy.state === "copying";

async function copiesOf(dids: string[], signal: AbortSignal): Promise<Map<string, Copy[]>> {
  if (dids.length === 0) return new Map();
  const init = {
    method: "POST",
    body: JSON.stringify({ dids }),
    headers: { "content-type": "application/json" },
  };
  const found = await lines<{ did: string; replicas: Copy[] }>("/v1/replicas/list", dids.length, {
    ...init,
    signal,
  });
  return new Map(found.items.map((one) => [one.did, one.replicas]));
}

/** The replicas of a file; asked for anew while one is on its way. */
export function copies(name: string) {
  return queryOptions({
    queryKey: ["did", name, "copies"],
    queryFn: async ({ signal }) => (await copiesOf([name], signal)).get(name) ?? [],
    refetchInterval: (query) => query.state.data?.some(isComing) === true && pause(query),
  });
}

/** The rules on a DID, newest first; asked for anew while one is being carried out. */
export function rulesOn(name: string) {
  return queryOptions({
    queryKey: ["did", name, "rules"],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/rules", { params: { query: { did: name, limit: PAGE } }, signal })),
    refetchInterval: (query) =>
      query.state.data?.items.some((one) => SETTLING.includes(one.state)) === true && pause(query),
  });
}

/** Why a rule is not ok. */
export function ruleExplained(id: number, state: string) {
  return queryOptions({
    queryKey: ["rule", id, "explanation", state],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/explain/rule/{rule_id}", { params: { path: { rule_id: id } }, signal })),
  });
}

/** What a DID says; with `inherit`, also what the collections above it say. */
export function metadataOf(name: string, inherit: boolean) {
  return queryOptions({
    queryKey: ["did", name, "metadata", inherit],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/v1/metadata/of/{did}", { params: { path: { did: name }, query: { inherit } }, signal }),
      ),
  });
}

const didLines = <T>(kind: "parents" | "history", name: string, most: number, signal: AbortSignal) =>
  lines<T>(`/v1/${kind}/${encodeURIComponent(name)}`, most, { signal });

/** The first collections that a DID is directly in. */
export function parents(name: string) {
  return queryOptions({
    queryKey: ["did", name, "parents"],
    queryFn: ({ signal }): Promise<Lines<Listed>> => didLines("parents", name, 20, signal),
  });
}

/** The first things that were taken out of a collection. */
export function takenOut(name: string) {
  return queryOptions({
    queryKey: ["did", name, "taken out"],
    queryFn: ({ signal }): Promise<Lines<Detached>> => didLines("history", name, 100, signal),
  });
}

/** What was done to the rules on a DID, oldest first. */
export function ruleHistory(name: string) {
  return queryOptions({
    queryKey: ["did", name, "rule history"],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/rules/history", { params: { query: { did: name, limit: PAGE } }, signal })),
  });
}

/** What was said of the replicas of a file: that they are bad, suspicious or unavailable. */
export function declarations(name: string) {
  return queryOptions({
    queryKey: ["did", name, "declarations"],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/replicas/declarations", { params: { query: { did: name, limit: 50 } }, signal })),
  });
}

/** The first jobs that a query finds, the newest first. */
export function jobsWhere(where: string) {
  return queryOptions({
    queryKey: ["jobs", "of data", where],
    queryFn: ({ signal }) => answer(api.GET("/v1/jobs", { params: { query: { where, limit: 12 } }, signal })),
  });
}

/** Which RSEs an expression means. */
export function resolved(expression: string) {
  return queryOptions({
    queryKey: ["data", "resolved", expression],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/rses:resolve", { params: { query: { expression } }, signal })),
    enabled: expression !== "",
  });
}

/** The job that made a file, if one did. */
export function maker(name: string) {
  return queryOptions({
    queryKey: ["did", name, "maker"],
    queryFn: async ({ signal }) => {
      const found = await answer(api.POST("/v1/jobs/producers", { body: { dids: [name] }, signal }));
      return found[name] ?? null;
    },
    staleTime: 300_000,
  });
}
