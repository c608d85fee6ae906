/** Whether changes are told as they happen, for the mark in the head of the page. */
let live: boolean | undefined;
const listeners = new Set<() => void>();

export const isLive = (): boolean | undefined => live;

export function setLive(now: boolean | undefined): void {
  live = now;
  for (const listener of listeners) listener();
}

export function subscribeLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
