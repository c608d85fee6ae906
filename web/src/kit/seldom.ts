/** Does something at once when it is asked for, but not again before a pause is over: then once for all who asked. */
export type Seldom = { ask: () => void; end: () => void };

export function seldom(act: () => void, pause: number): Seldom {
  let done = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    done = Date.now();
    act();
  };
  return {
    ask: () => {
      timer ??= setTimeout(run, Math.max(0, done + pause - Date.now()));
    },
    end: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
