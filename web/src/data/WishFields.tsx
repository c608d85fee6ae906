import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { t } from "../i18n";
import { shown } from "../kit/text";
import { rses } from "./queries";
import { LIFETIMES, type Wish } from "./wish";

type Props = { wish: Wish; uncommented?: true; onChange: (wish: Wish) => void };

/** The fields of a rule: where, how many, for how long, and why. */
export function WishFields({ wish, uncommented, onChange }: Props) {
  const { data = [] } = useQuery(rses);
  const id = useId();
  return (
    <>
      <div className="field">
        <label htmlFor={`${id}-where`}>{t("wish.where")}</label>
        <input
          id={`${id}-where`}
          className="where"
          spellCheck={false}
          autoCapitalize="none"
          placeholder="tier=1&country=UK"
          aria-describedby={`${id}-help`}
          value={wish.expression}
          onChange={(event) => onChange({ ...wish, expression: event.target.value })}
        />
        <p id={`${id}-help`} className="quiet">
          {t("wish.whereHelp")}
        </p>
        <div className="buttons">
          {data.slice(0, 8).map((one) => (
            <button
              key={one.name}
              type="button"
              className="chip"
              aria-pressed={wish.expression === one.name}
              onClick={() => onChange({ ...wish, expression: one.name })}
            >
              <bdi>{shown(one.name, 40)}</bdi>
            </button>
          ))}
        </div>
      </div>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}-copies`}>{t("wish.copies")}</label>
          <input
            id={`${id}-copies`}
            type="number"
            min={1}
            max={100}
            value={wish.copies}
            onChange={(event) => onChange({ ...wish, copies: event.target.value })}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-lifetime`}>{t("wish.lifetime")}</label>
          <input
            id={`${id}-lifetime`}
            list={`${id}-lifetimes`}
            placeholder={t("wish.forEver")}
            value={wish.lifetime}
            onChange={(event) => onChange({ ...wish, lifetime: event.target.value })}
          />
          <datalist id={`${id}-lifetimes`}>
            {LIFETIMES.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </div>
      </div>
      {uncommented === undefined && (
        <div className="field">
          <label htmlFor={`${id}-comment`}>{t("wish.comment")}</label>
          <input
            id={`${id}-comment`}
            maxLength={1000}
            value={wish.comment}
            onChange={(event) => onChange({ ...wish, comment: event.target.value })}
          />
        </div>
      )}
    </>
  );
}
