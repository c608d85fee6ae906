import { useId } from "react";
import { t } from "../i18n";
import { shown } from "../kit/text";
import type { Place } from "./target";
import { WishFields } from "./WishFields";

type Props = { place: Place; scopes: string[]; disabled: boolean; onChange: (place: Place) => void };

/** Where uploads go: scope and folder of their names, a dataset, and the rule that holds them. */
export function Target({ place, scopes, disabled, onChange }: Props) {
  const id = useId();
  return (
    <fieldset className="card stack" disabled={disabled}>
      <legend className="sr-only">{t("upload.where")}</legend>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}-scope`}>{t("data.scope")}</label>
          <select
            id={`${id}-scope`}
            value={place.scope}
            onChange={(event) => onChange({ ...place, scope: event.target.value })}
          >
            {scopes.map((one) => (
              <option key={one} value={one}>
                {shown(one, 60)}
              </option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-folder`}>{t("upload.folder")}</label>
          <input
            id={`${id}-folder`}
            spellCheck={false}
            placeholder="2026/calibration"
            value={place.folder}
            onChange={(event) => onChange({ ...place, folder: event.target.value })}
          />
        </div>
      </div>
      <div className="field">
        <label htmlFor={`${id}-dataset`}>{t("upload.dataset")}</label>
        <input
          id={`${id}-dataset`}
          spellCheck={false}
          placeholder={`${place.scope}:plots`}
          aria-describedby={`${id}-dataset-help`}
          value={place.dataset}
          onChange={(event) => onChange({ ...place, dataset: event.target.value })}
        />
        <p id={`${id}-dataset-help`} className="quiet">
          {t("upload.datasetHelp")}
        </p>
      </div>
      <details open={place.wish.expression !== "" || undefined}>
        <summary>{t("upload.rule")}</summary>
        <div className="stack inner">
          <WishFields wish={place.wish} uncommented onChange={(wish) => onChange({ ...place, wish })} />
        </div>
      </details>
    </fieldset>
  );
}
