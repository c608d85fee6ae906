import { number, t } from "../i18n";
import { partsOf, type Tallied } from "./progress";

/** A bar of what is there, on its way and stuck; in words as well. */
export function Progress({ rule }: { rule: Tallied }) {
  const parts = partsOf(rule);
  if (parts.length === 0) return null;
  const words = parts.map((one) => t(`rule.locks.${one.kind}`, { count: number(one.count) })).join(", ");
  return (
    <div className="progress">
      <div className="bar" aria-hidden="true">
        {parts.map((one) => (
          <span key={one.kind} className={`share ${one.kind}`} style={{ width: `${one.share}%` }} />
        ))}
      </div>
      <span className="quiet">{words}</span>
    </div>
  );
}
