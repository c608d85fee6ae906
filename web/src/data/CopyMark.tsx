import { type Key, t } from "../i18n";

const MARKS: Record<string, string> = {
  available: "M3 8.500l3.500 3.500L13 4.500",
  copying: "M8 2.500v8M4.500 7.500L8 11l3.500-3.500M3 13.500h10",
  unavailable: "M4 8h8",
  bad: "M4 4l8 8M12 4l-8 8",
  deleting: "M4 5h8M6 5v8M10 5v8",
};
const WORDS: Record<string, Key> = {
  available: "copy.available",
  copying: "copy.copying",
  unavailable: "copy.unavailable",
  bad: "copy.bad",
  deleting: "copy.deleting",
};

/** The state of a replica in words. */
export const copyState = (state: string): string => (WORDS[state] === undefined ? state : t(WORDS[state]));

/** The state of a replica as a sign, which says it too. */
export function CopyMark({ state }: { state: string | undefined }) {
  if (state === undefined) {
    return (
      <span className="mark absent" role="img" aria-label={t("copy.none")}>
        ·
      </span>
    );
  }
  const label = copyState(state);
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" className={`mark ${state}`} role="img" aria-label={label}>
      <title>{label}</title>
      <path d={MARKS[state] ?? MARKS.unavailable} fill="none" stroke="currentColor" strokeWidth="2" />
    </svg>
  );
}
