import { queryOptions } from "@tanstack/react-query";
import { answer, api, type Schemas } from "../api/client";

export type Extension = Schemas["PageExtensionOut"];

/** What this VO adds to the page. */
export const extensions = queryOptions({
  queryKey: ["extensions"],
  queryFn: ({ signal }) => answer(api.GET("/v1/page/extensions", { signal })),
  staleTime: 300_000,
});
