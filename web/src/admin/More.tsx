import { t } from "../i18n";

/** A button for the next page of a list, as long as there is one. */
export function More({ has, busy, onMore }: { has: boolean; busy: boolean; onMore: () => void }) {
  if (!has) return null;
  return (
    <button type="button" className="button" disabled={busy} onClick={onMore}>
      {t(busy ? "common.loading" : "admin.more")}
    </button>
  );
}
