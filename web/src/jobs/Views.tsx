import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { answer, api } from "../api/client";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { views } from "./queries";
import { type JobSearch, readSearch, whereOf } from "./search";

type Props = { search: JobSearch; onChoose: (search: JobSearch) => void };

/** Searches that the account has named: to choose one, to save this one, to forget one. */
export function Views({ search, onChoose }: Props) {
  const { data = [] } = useQuery(views);
  const [saving, setSaving] = useState(false);
  const list = useId();
  return (
    <>
      <label htmlFor={list} className="sr-only">
        {t("jobs.views")}
      </label>
      <select
        id={list}
        value=""
        onChange={(event) => {
          const view = data.find((one) => one.name === event.target.value);
          if (view !== undefined) onChoose(readSearch({ ...view, everybody: true }));
        }}
      >
        <option value="">{t("jobs.views")}</option>
        {data.map((view) => (
          <option key={view.name} value={view.name}>
            {view.name}
          </option>
        ))}
      </select>
      <button type="button" className="button" onClick={() => setSaving(true)}>
        {t("jobs.saveView")}
      </button>
      {saving && <Save search={search} onClose={() => setSaving(false)} />}
    </>
  );
}

function Save({ search, onClose }: { search: JobSearch; onClose: () => void }) {
  const { data = [] } = useQuery(views);
  const cache = useQueryClient();
  const [error, setError] = useState<unknown>();
  const [name, setName] = useState("");
  const field = useId();
  const save = async () => {
    const body = {
      where: whereOf(search) ?? "",
      sort: search.sort ?? "-id",
      columns: search.columns ?? [],
    };
    await answer(api.PUT("/v1/jobs/views/{name}", { params: { path: { name } }, body }));
    await cache.invalidateQueries({ queryKey: ["views"] });
    onClose();
  };
  const forget = async (gone: string) => {
    await api.DELETE("/v1/jobs/views/{name}", { params: { path: { name: gone } } });
    await cache.invalidateQueries({ queryKey: ["views"] });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save().catch(setError);
  };
  return (
    <Dialog title={t("jobs.saveView")} onClose={onClose}>
      <form onSubmit={submit} className="stack">
        <div className="field">
          <label htmlFor={field}>{t("jobs.viewName")}</label>
          <input
            id={field}
            required
            pattern="[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}"
            aria-describedby={`${field}-help`}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <p id={`${field}-help`} className="quiet">
            {t("jobs.viewNameHelp")}
          </p>
        </div>
        {error !== undefined && <Trouble error={error} />}
        {data.map((view) => (
          <div key={view.name} className="spread">
            <span>{view.name}</span>
            <button
              type="button"
              className="icon"
              aria-label={t("jobs.deleteView", { name: view.name })}
              onClick={() => {
                forget(view.name).catch(setError);
              }}
            >
              ×
            </button>
          </div>
        ))}
        <div className="buttons">
          <button type="button" className="button" onClick={onClose}>
            {t("common.cancel")}
          </button>
          <button type="submit" className="button primary">
            {t("common.save")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
