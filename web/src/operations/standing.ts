/** Whether something can be used now, as far as switches and downtimes say. */
import type { Schemas } from "../api/client";

export type Downtime = Schemas["DowntimeOut"];
export type ResourceKind = Downtime["kind"];
export type Standing = "open" | "down" | "off";

/** The downtimes of a resource, the earliest first. */
export function downtimesOf(all: readonly Downtime[], kind: ResourceKind, name: string): Downtime[] {
  return all
    .filter((one) => one.kind === kind && one.name === name)
    .sort((a, b) => a.begins_at.localeCompare(b.begins_at));
}

/** Down: by a downtime; off: because documents say so. */
export function standing(enabled: boolean, downtimes: readonly Downtime[]): Standing {
  if (downtimes.some((one) => one.begun)) return "down";
  return enabled ? "open" : "off";
}

/** What the fields of a form say of a time, as the server wants it; nothing for an empty one. */
export const timeOf = (local: string): string | undefined =>
  local === "" ? undefined : new Date(local).toISOString();
