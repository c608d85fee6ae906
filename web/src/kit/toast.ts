/** Short messages of what was done, with what undoes it. */
export type Toast = { id: number; text: string; undo?: () => void };

let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();
const STAYS = 8_000;

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Say that something was done; the message goes by itself. */
export function say(text: string, undo?: () => void): void {
  last += 1;
  const id = last;
  set([...toasts, undo === undefined ? { id, text } : { id, text, undo }].slice(-3));
  setTimeout(() => dismiss(id), STAYS);
}

/** Take a message away. */
export const dismiss = (id: number): void => set(toasts.filter((one) => one.id !== id));
/** The messages that are shown. */
export const shownToasts = (): readonly Toast[] => toasts;
/** Hear when they change. */
export function subscribeToasts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
