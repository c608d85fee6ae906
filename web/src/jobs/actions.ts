/** What can be done to jobs, one or many. */
import type { QueryClient } from "@tanstack/react-query";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { say } from "../kit/toast";

export const ACTIONS = ["hold", "release", "reschedule", "clone", "kill"] as const;
export type Action = (typeof ACTIONS)[number];

const STATES: Record<Action, readonly string[]> = {
  kill: ["pending", "waiting", "held", "matched", "running", "completing"],
  hold: ["pending", "waiting"],
  release: ["held"],
  reschedule: ["waiting", "held", "failed", "killed"],
  clone: ["pending", "waiting", "held", "matched", "running", "completing", "done", "failed", "killed"],
};
/** So many go in one request: each is all or nothing, and the server takes no more than twice as many. */
const AT_ONCE = 5_000;
const UNDONE_BY: Partial<Record<Action, Action>> = { hold: "release", release: "hold" };

/** Whether an action is possible for a job in a state. */
export const possible = (action: Action, state: string): boolean => STATES[action].includes(state);

/** So many jobs, in words. */
export const jobsInWords = (count: number): string =>
  count === 1 ? t("action.job") : t("action.jobs", { count });

/** Do it, and say what was done, with what undoes it where something does. Raises a `Problem`. */
export async function act(action: Action, ids: number[], cache: QueryClient): Promise<number[]> {
  const changed = await send(action, ids);
  await refresh(cache);
  const back = UNDONE_BY[action];
  const undo = () => {
    if (back === undefined) return;
    send(back, changed).then(
      () => refresh(cache),
      (error: unknown) => say(String(error instanceof Error ? error.message : error)),
    );
  };
  const text = t(`action.done.${action}`, { count: jobsInWords(changed.length) });
  say(text, back === undefined || changed.length === 0 ? undefined : undo);
  return changed;
}

async function send(action: Action, ids: number[]): Promise<number[]> {
  const changed: number[] = [];
  for (let n = 0; n < ids.length; n += AT_ONCE)
    changed.push(...(await ask(action, ids.slice(n, n + AT_ONCE))));
  return changed;
}

async function ask(action: Action, job_ids: number[]): Promise<number[]> {
  const body = { job_ids };
  switch (action) {
    case "kill":
      return (await answer(api.POST("/v1/jobs/kill", { body }))).changed;
    case "hold":
      return (await answer(api.POST("/v1/jobs/hold", { body }))).changed;
    case "release":
      return (await answer(api.POST("/v1/jobs/release", { body }))).changed;
    case "reschedule":
      return (await answer(api.POST("/v1/jobs/reschedule", { body }))).changed;
    case "clone":
      return (await answer(api.POST("/v1/jobs/clone", { body }))).clones.map((one) => one.clone_id);
  }
}

/** What the server does to all that a search finds. */
export const FOUND_ACTIONS = ["hold", "release", "reschedule", "kill"] as const satisfies readonly Action[];
export type FoundAction = (typeof FOUND_ACTIONS)[number];
type Watch = { onProgress: (changed: number) => void; signal: AbortSignal };

/**
 * Do it to all that a search finds and that it is possible for; how many that were. The server takes a thousand at a
 * time: what was done before somebody stops, or something goes wrong, stays done.
 */
export async function actOnFound(
  action: FoundAction,
  where: string | undefined,
  cache: QueryClient,
  { onProgress, signal }: Watch,
): Promise<number> {
  let changed = 0;
  let cursor: string | undefined;
  try {
    do {
      const body = {
        where: where ?? `state in (${STATES[action].join(", ")})`,
        ...(cursor === undefined ? {} : { cursor }),
      };
      const done = await answer(api.POST(`/v1/jobs/${action}`, { body, signal }));
      const ranges = done.ranges ?? [];
      changed += done.changed.length + ranges.reduce((sum, one) => sum + one.last - one.first + 1, 0);
      cursor = done.next ?? undefined;
      onProgress(changed);
    } while (cursor !== undefined);
    return changed;
  } finally {
    await refresh(cache);
  }
}

async function refresh(cache: QueryClient): Promise<void> {
  await Promise.all([
    cache.invalidateQueries({ queryKey: ["jobs"] }),
    cache.invalidateQueries({ queryKey: ["job"] }),
  ]);
}
