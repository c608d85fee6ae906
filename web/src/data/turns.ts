/**
 * Act on items, so many at once. When one fails, or the signal aborts, no other begins, those under way hear it from
 * the signal that they got, and all have ended when this raises what failed first.
 */
export async function inTurns<T>(
  items: readonly T[],
  atOnce: number,
  act: (item: T, n: number, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failing = new AbortController();
  const either = AbortSignal.any([signal, failing.signal]);
  const left = [...items.entries()];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      either.throwIfAborted();
      const [n, item] = next;
      await act(item, n, either);
    }
  };
  const workers = Array.from({ length: atOnce }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    failing.abort(error);
    await Promise.allSettled(workers);
    throw error;
  }
  signal.throwIfAborted();
}

/** What storages say to who puts a file that is there already; 403, when what the token lets make is not to be replaced. */
const TAKEN = [403, 409, 412];

/**
 * Whether a file that was put is on its storage, or may be: when it is put `again`, an earlier try may have arrived
 * although its answer did not. The commit looks at what is there.
 */
export const isThere = (status: number, again: boolean): boolean =>
  (status >= 200 && status < 300) || (again && TAKEN.includes(status));
