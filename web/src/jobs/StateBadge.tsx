import { type Key, t } from "../i18n";
import { STATES } from "./search";

/** A state in words; the colour says no more than they do. */
export function StateBadge({ state }: { state: string }) {
  const known = STATES.find((one) => one === state);
  return (
    <span className={`state ${known ?? ""}`}>{known === undefined ? state : t(`state.${known}` as Key)}</span>
  );
}
