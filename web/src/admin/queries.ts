/** What the page of administration asks of the server. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";
import { type Account, type AccountChange, documentOf } from "./account";
import type { AdminSearch } from "./tabs";

export type { Account };
export type Document = Schemas["Document"];
export type Change = Schemas["Change"];

const PAGE = 100;

/** The accounts of the VO by name, a page at a time. */
export const accounts = infiniteQueryOptions({
  queryKey: ["admin", "accounts"],
  initialPageParam: "",
  getNextPageParam: (page: Account[]) => (page.length === PAGE ? page.at(-1)?.name : undefined),
  queryFn: ({ pageParam, signal }) => {
    const query = { after: pageParam, limit: PAGE };
    return answer(api.GET("/v1/accounts", { params: { query }, signal }));
  },
});

export const groups = queryOptions({
  queryKey: ["admin", "groups"],
  queryFn: () => answer(api.GET("/v1/groups")),
});

/** The audit log, newest first. */
export function decisions(search: AdminSearch) {
  const { account, permission, on, allowed } = search;
  return infiniteQueryOptions({
    queryKey: ["admin", "audit", account, permission, on, allowed],
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page: Schemas["DecisionsOut"]) => page.next ?? undefined,
    queryFn: ({ pageParam, signal }) => {
      const query = {
        limit: PAGE,
        ...(account === undefined ? {} : { account }),
        ...(permission === undefined ? {} : { permission }),
        ...(on === undefined ? {} : { on }),
        ...(allowed === undefined ? {} : { allowed }),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      };
      return answer(api.GET("/v1/audit", { params: { query }, signal }));
    },
  });
}

/** What was applied, newest first. */
export const versions = infiniteQueryOptions({
  queryKey: ["admin", "versions"],
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page: Schemas["Version"][]) => (page.length === PAGE ? page.at(-1)?.version : undefined),
  queryFn: ({ pageParam, signal }) => {
    const query = { limit: PAGE, ...(pageParam === undefined ? {} : { before: pageParam }) };
    return answer(api.GET("/v1/configuration/versions", { params: { query }, signal }));
  },
});

/** What a version changed. */
export function changes(version: number) {
  return queryOptions({
    queryKey: ["admin", "version", version],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/configuration/versions/{version}", { params: { path: { version } }, signal })),
  });
}

/** Whether a VO has what it needs. */
export function checks(vo: string) {
  return queryOptions({
    queryKey: ["admin", "checks", vo],
    queryFn: ({ signal }) =>
      answer(api.GET("/v1/vos/{name}/check", { params: { path: { name: vo } }, signal })),
  });
}

export const vos = queryOptions({ queryKey: ["admin", "vos"], queryFn: () => answer(api.GET("/v1/vos")) });

/** Make an account of a VO, or change one that is there already; see `documentOf`. Raises a `Problem`. */
export async function putAccount(vo: string, named: Account | string, change: AccountChange): Promise<void> {
  const [account, name] = typeof named === "string" ? [undefined, named] : [named, named.name];
  const known = await answer(api.GET("/v1/configuration", { params: { query: { kind: "Account" } } }));
  const spec = known.find((one) => one.name === name && one.vo === vo)?.spec;
  const documents = [{ kind: "Account", name, vo, spec: documentOf(account, spec, change), remove: false }];
  await answer(api.POST("/v1/configuration/apply", { body: { documents, dry_run: false } }));
}
