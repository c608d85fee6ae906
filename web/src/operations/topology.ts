/** The sites, CEs and RSEs that the VO may use; they change seldom. */
import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "../api/client";

const KEPT = 60_000;

export const sites = queryOptions({
  queryKey: ["topology", "sites"],
  queryFn: () => answer(api.GET("/v1/sites")),
  staleTime: KEPT,
});

export const computeElements = queryOptions({
  queryKey: ["topology", "ces"],
  queryFn: () => answer(api.GET("/v1/ces")),
  staleTime: KEPT,
});

export const storages = queryOptions({
  queryKey: ["topology", "rses"],
  queryFn: () => answer(api.GET("/v1/rses")),
  staleTime: KEPT,
});
