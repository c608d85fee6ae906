import { type FormEvent, useId, useState } from "react";
import { t } from "../i18n";
import { shown } from "../kit/text";
import { cleared, isNarrow, type JobSearch, readSearch } from "./search";
import { Views } from "./Views";

type Props = { search: JobSearch; me: string; onChange: (search: JobSearch) => void };

/** The search in its own language, whose jobs, which columns, and the searches that were saved. */
export function SearchBar({ search, me, onChange }: Props) {
  const [where, setWhere] = useState(search.where ?? "");
  const [columns, setColumns] = useState((search.columns ?? []).join(", "));
  const field = useId();
  const find = (event: FormEvent) => {
    event.preventDefault();
    const said = columns.split(",").map((one) => one.trim());
    onChange(readSearch({ ...search, where, columns: said }));
  };
  const whose = (everybody: boolean) => onChange(readSearch({ ...search, everybody, owner: me }));
  const other = search.owner !== undefined && search.owner !== me;
  return (
    <search className="search">
      <form id={`${field}-form`} onSubmit={find}>
        <label htmlFor={field} className="sr-only">
          {t("jobs.search")}
        </label>
        <input
          id={field}
          type="search"
          className="where"
          placeholder={t("jobs.searchHint")}
          spellCheck={false}
          autoCapitalize="none"
          value={where}
          onChange={(event) => setWhere(event.target.value)}
        />
        <button type="submit" className="button">
          {t("jobs.find")}
        </button>
      </form>
      <fieldset className="switch">
        <legend className="sr-only">{t("jobs.whose")}</legend>
        {[false, true].map((everybody) => (
          <button
            key={String(everybody)}
            type="button"
            aria-pressed={!other && (search.everybody === true) === everybody}
            onClick={() => whose(everybody)}
          >
            {t(everybody ? "jobs.everybody" : "jobs.mine")}
          </button>
        ))}
      </fieldset>
      {other && <span>{t("jobs.of", { owner: shown(search.owner ?? "", 60) })}</span>}
      <Views search={search} onChoose={onChange} />
      {isNarrow(search) && (
        <button type="button" className="button quiet" onClick={() => onChange(cleared(search))}>
          {t("jobs.clear")}
        </button>
      )}
      <details className="help">
        <summary>{t("jobs.searchHelpTitle")}</summary>
        <p>{t("jobs.searchHelp")}</p>
        <div className="field">
          <label htmlFor={`${field}-columns`}>{t("jobs.columns")}</label>
          <input
            id={`${field}-columns`}
            form={`${field}-form`}
            aria-describedby={`${field}-columns-help`}
            spellCheck={false}
            value={columns}
            onChange={(event) => setColumns(event.target.value)}
          />
          <p id={`${field}-columns-help`} className="quiet">
            {t("jobs.columnsHelp")}
          </p>
        </div>
      </details>
    </search>
  );
}
