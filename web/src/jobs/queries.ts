/** What is asked of the server about jobs, each under the key by which it is remembered. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";
import { type Facet, type JobSearch, whereOf } from "./search";

export type Job = Schemas["JobOut"];
export type JobDetail = Schemas["JobDetailOut"];
export type Count = { value: string | null; count: number };

const PAGE = 200;

export const me = queryOptions({
  queryKey: ["whoami"],
  queryFn: () => answer(api.GET("/v1/whoami")),
  staleTime: 300_000,
});

/** The jobs of a search, a page at a time. */
export function jobPages(search: JobSearch) {
  const where = whereOf(search);
  return infiniteQueryOptions({
    queryKey: ["jobs", "list", where, search.sort, search.columns],
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Schemas["JobsOut"]) => page.next ?? undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        limit: PAGE,
        ...(where === undefined ? {} : { where }),
        ...(search.sort === undefined ? {} : { sort: search.sort }),
        ...(search.columns === undefined ? {} : { columns: search.columns }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      };
      return answer(api.GET("/v1/jobs", { params: { query }, signal }));
    },
  });
}

/** How many jobs there are of each value of a facet, the filter on it left out. */
export function counts(search: JobSearch, facet: Facet) {
  const where = whereOf(search, facet);
  return queryOptions({
    queryKey: ["jobs", "summary", facet, where],
    queryFn: async ({ signal }) => {
      const query = { by: [facet], ...(where === undefined ? {} : { where }) };
      const found = await answer(api.GET("/v1/jobs/summary", { params: { query }, signal }));
      return found.map((one): Count => ({ value: textOf(one[facet]), count: one.count }));
    },
  });
}

export const views = queryOptions({
  queryKey: ["views"],
  queryFn: () => answer(api.GET("/v1/jobs/views")),
});

/** Everything about a job. */
export function job(id: number) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
  });
}

/** Why a job is as it is. */
export function explanation(id: number, state: string) {
  return queryOptions({
    queryKey: ["job", id, "explanation", state],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/explain/job/{job_id}", { params: { path: { job_id: id } }, signal })),
  });
}

/** The end of what a job prints; asked for anew each two seconds while it runs and somebody looks. */
export function log(id: number, running: boolean) {
  return queryOptions({
    queryKey: ["job", id, "log"],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/v1/jobs/{job_id}/log", {
          params: { path: { job_id: id }, query: { follow: running } },
          signal,
        }),
      ),
    refetchInterval: (query) => (running && query.state.data?.final !== true ? 2_000 : false),
  });
}

/** Where files can be read. */
export function places(dids: string[]) {
  return queryOptions({
    queryKey: ["places", dids],
    queryFn: async ({ signal }) => {
      const found = await answer(
        api.POST("/v1/replicas/access", { body: { dids: dids.slice(0, 200) }, signal }),
      );
      return found.files;
    },
    enabled: dids.length > 0,
  });
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
