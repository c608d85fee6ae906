/** What Home asks of the server. All of it is about one account, and counted or cut by the server. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";
import { quoted } from "../jobs/search";

const SHOWN = 5;

/** The beginning of yesterday, in the time of this place. */
export function yesterday(now: Date = new Date()): string {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).toISOString();
}

/** The query for jobs of an account that have changed since a moment. */
export const changedSince = (account: string, since: string): string =>
  `account = ${quoted(account)} & changed_at > ${quoted(since)}`;

/** How many of an account's jobs are in each state: all of them, or those that changed since a moment. */
export function byState(account: string, since?: string) {
  const where = since === undefined ? `account = ${quoted(account)}` : changedSince(account, since);
  return queryOptions({
    queryKey: ["jobs", "home", "state", where],
    queryFn: async ({ signal }) => {
      const query = { where, by: ["state"] };
      const found = await answer(api.GET("/v1/jobs/summary", { params: { query }, signal }));
      return new Map(found.map((one) => [String(one.state), one.count]));
    },
  });
}

/** Why an account's jobs failed since a moment, the commonest reason first. */
export function failures(account: string, since: string) {
  const where = `${changedSince(account, since)} & state = failed`;
  return queryOptions({
    queryKey: ["jobs", "home", "error", where],
    queryFn: async ({ signal }) => {
      const query = { where, by: ["error"] };
      const found = await answer(api.GET("/v1/jobs/summary", { params: { query }, signal }));
      const all = found.map(({ error, count }) => ({
        error: typeof error === "string" ? error : null,
        count,
      }));
      return all.sort((a, b) => b.count - a.count).slice(0, SHOWN);
    },
  });
}

/** Rules of an account that are stuck, or wait for somebody's approval. */
export function rulesIn(account: string, state: "stuck" | "waiting") {
  return queryOptions({
    queryKey: ["home", "rules", account, state],
    queryFn: async ({ signal }) => {
      const query = { account, state, limit: SHOWN };
      return (await answer(api.GET("/v1/rules", { params: { query }, signal }))).items;
    },
  });
}

/** Replicas of the VO that are said to be bad or suspicious, and of which nothing has come yet. */
export function declared(kind: "bad" | "suspicious") {
  return queryOptions({
    queryKey: ["home", "declarations", kind],
    queryFn: async ({ signal }) => {
      const query = { kind, state: "standing" as const, limit: SHOWN };
      return (await answer(api.GET("/v1/replicas/declarations", { params: { query }, signal }))).items;
    },
  });
}

/** The quotas that count for an account. */
export function quotas(account?: string) {
  return queryOptions({
    queryKey: ["quotas", account],
    queryFn: async ({ signal }) => {
      const query = { limit: 200, ...(account === undefined ? {} : { account }) };
      return (await answer(api.GET("/v1/quotas", { params: { query }, signal }))).items;
    },
  });
}

/** Collections that the VO made last. */
export const newest = queryOptions({
  queryKey: ["home", "newest"],
  queryFn: async ({ signal }) => {
    const query = { newest: true, kind: "dataset" as const, limit: 50 };
    return (await answer(api.GET("/v1/dids", { params: { query }, signal }))).items;
  },
});

export type Rule = Schemas["RuleOut"];
export type Declaration = Schemas["DeclarationOut"];
export type Quota = Schemas["QuotaOut"];
