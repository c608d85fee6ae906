/** What the page of operations asks of the server. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../api/client";
import type { Split } from "./tabs";

const SOON = 15_000;
const SELDOM = 60_000;
const HOUR = 3_600_000;

export const downtimes = queryOptions({
  queryKey: ["topology", "downtimes"],
  queryFn: async () => (await answer(api.GET("/v1/downtimes", { params: { query: { limit: 1000 } } }))).items,
  refetchInterval: SOON,
});

/** What is on every RSE. */
export const fill = queryOptions({
  queryKey: ["topology", "fill"],
  queryFn: () => answer(api.GET("/v1/rses:usage")),
  refetchInterval: 60_000,
});

/** How many jobs of the VO each site runs. */
export const running = queryOptions({
  queryKey: ["jobs", "operations", "running"],
  queryFn: async ({ signal }) => {
    const query = { by: ["site"], where: "state in (matched, running, completing)" };
    const found = await answer(api.GET("/v1/jobs/summary", { params: { query }, signal }));
    return new Map(found.map(({ site, count }) => [String(site), count]));
  },
  refetchInterval: SOON,
});

/** How many jobs of the VO wait: there may be millions, which are counted less often than the few that run. */
export const waiting = queryOptions({
  queryKey: ["jobs", "operations", "waiting"],
  queryFn: async ({ signal }) => {
    const query = { by: ["state"], where: "state in (pending, waiting)" };
    const found = await answer(api.GET("/v1/jobs/summary", { params: { query }, signal }));
    return found.reduce((sum, one) => sum + one.count, 0);
  },
  staleTime: SELDOM,
  refetchInterval: SELDOM,
});

/** How many pilots each CE has, by state. */
export function pilots(hours: number) {
  return queryOptions({
    queryKey: ["pilots", hours],
    queryFn: ({ signal }) => answer(api.GET("/v1/pilots/summary", { params: { query: { hours } }, signal })),
    refetchInterval: SOON,
  });
}

/** What was used in the last hours, or up to now in the last days, split by some things. */
export function used(by: ("source" | "day" | Split)[], hours: number) {
  return queryOptions({
    queryKey: ["accounting", by, hours],
    queryFn: ({ signal }) => {
      const since = new Date(Date.now() - hours * HOUR).toISOString();
      return answer(api.GET("/v1/accounting", { params: { query: { by, since } }, signal }));
    },
    staleTime: 60_000,
  });
}

/** What goes on between RSEs. */
export function links(hours: number) {
  return queryOptions({
    queryKey: ["links", hours],
    queryFn: ({ signal }) => answer(api.GET("/v1/transfers/links", { params: { query: { hours } }, signal })),
    refetchInterval: SOON,
  });
}

/** What accounts keep on RSEs; the first thousand pairs. */
export const usage = queryOptions({
  queryKey: ["usage"],
  queryFn: async ({ signal }) =>
    (await answer(api.GET("/v1/usage", { params: { query: { limit: 1000 } }, signal }))).items,
});

/** What an account kept on an RSE over time. */
export function usageHistory(account: string, rse: string) {
  return queryOptions({
    queryKey: ["usage", "history", account, rse],
    queryFn: async ({ signal }) => {
      const query = { account, rse, limit: 1000 };
      return (await answer(api.GET("/v1/usage/history", { params: { query }, signal }))).reverse();
    },
  });
}
