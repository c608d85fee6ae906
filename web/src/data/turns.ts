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
