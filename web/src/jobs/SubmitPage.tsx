import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useState } from "react";
import { answer, api, type Schemas } from "../api/client";
import { asProblem } from "../api/problem";
import { type Key, t } from "../i18n";
import { Trouble } from "../kit/Trouble";
import { say } from "../kit/toast";
import { jobsInWords } from "./actions";
import { again } from "./again";
import { draft, type Field, fieldOf, keepDraft, read, START, withField } from "./draft";
import { FIELDS } from "./fields";
import { job } from "./queries";

const FORM: { label: Key; path: Field; help?: Key; wide?: true; usual?: string }[] = [
  { label: "submit.name", path: ["name"] },
  { label: "submit.count", path: ["count"], usual: "1" },
  { label: "submit.command", path: ["command"], help: "submit.commandHelp", wide: true },
  { label: "submit.cores", path: ["requirements", "cores"], usual: "1" },
  { label: "submit.memory", path: ["requirements", "memory"], usual: "2 GB" },
  { label: "submit.walltime", path: ["requirements", "walltime"], usual: "1 h" },
];

const route = getRouteApi("/submit");

/** Write down what a job did, if the URL names one; the draft that was there comes back by the note's button. */
function useAgain(setText: (text: string) => void) {
  const { again: id } = route.useSearch();
  const navigate = route.useNavigate();
  const cache = useQueryClient();
  useEffect(() => {
    if (id === undefined) return;
    const before = draft();
    const use = (text: string) => {
      keepDraft(text);
      setText(text);
    };
    cache.fetchQuery(job(id)).then(
      (done) => {
        use(again(done));
        say(t("submit.again", { id }), () => use(before));
        void navigate({ search: {}, replace: true });
      },
      (error: unknown) => say(asProblem(error).message),
    );
  }, [id, navigate, cache, setText]);
}

/** Write jobs and submit them. The draft is kept at every change: a session that ends loses nothing. */
export function SubmitPage() {
  const [text, setText] = useState(draft);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const editor = useId();
  useAgain(setText);
  const result = read(text);
  const fault = "fault" in result ? result.fault : undefined;
  const change = (next: string) => {
    setText(next);
    keepDraft(next);
  };
  const submit = async () => {
    if (!("body" in result) || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      // The server says what is wrong with it, field by field: it alone knows all there is to know.
      const body = result.body as Schemas["SubmitIn"];
      const made = await answer(api.POST("/v1/jobs", { body }));
      say(t("submit.done", { count: jobsInWords(made.count) }));
      await cache.invalidateQueries({ queryKey: ["jobs"] });
      if (made.count === 1) await navigate({ to: "/jobs/$id", params: { id: String(made.first) } });
      else await navigate({ to: "/jobs", search: { where: `submission = ${made.submission_id}` } });
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void submit();
  };
  return (
    <form className="page" onSubmit={onSubmit} onKeyDown={onKey}>
      <h1>{t("submit.title")}</h1>
      <p className="quiet">{t("submit.intro")}</p>
      <div className="columns writing">
        <div className="stack">
          <fieldset className="card form">
            <legend>{t("submit.form")}</legend>
            {FORM.map((one) => (
              <FormField
                key={one.label}
                {...one}
                text={text}
                disabled={fault !== undefined}
                onChange={change}
              />
            ))}
          </fieldset>
          <Help />
        </div>
        <div className="card field">
          <label htmlFor={editor}>{t("submit.editor")}</label>
          <textarea
            id={editor}
            className="editor"
            rows={18}
            spellCheck={false}
            autoCapitalize="none"
            aria-invalid={fault !== undefined}
            aria-describedby={`${editor}-fault`}
            value={text}
            onChange={(event) => change(event.target.value)}
          />
          <p id={`${editor}-fault`} role="status" className={fault === undefined ? "quiet" : "fault"}>
            {fault ?? t("submit.keys")}
          </p>
        </div>
      </div>
      {error !== undefined && <Trouble error={error} />}
      <div className="buttons">
        <button type="submit" className="button primary" disabled={busy || fault !== undefined}>
          {t("submit.go")}
        </button>
        <button type="button" className="button quiet" onClick={() => change(START)}>
          {t("submit.reset")}
        </button>
      </div>
    </form>
  );
}

type FieldProps = {
  label: Key;
  path: Field;
  help?: Key;
  wide?: true;
  /** What it is when nothing is said. */
  usual?: string;
  text: string;
  disabled: boolean;
  onChange: (text: string) => void;
};

function FormField({ label, path, help, wide, usual, text, disabled, onChange }: FieldProps) {
  const id = useId();
  const written = fieldOf(text, path);
  // While it is typed in, a field shows what was typed: `a "b` is not a command yet.
  const [typed, setTyped] = useState<string>();
  return (
    <div className={wide ? "field wide" : "field"}>
      <label htmlFor={id}>{t(label)}</label>
      <input
        id={id}
        disabled={disabled}
        spellCheck={false}
        autoCapitalize="none"
        placeholder={usual}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        value={typed ?? written}
        onChange={(event) => {
          setTyped(event.target.value);
          onChange(withField(text, path, event.target.value));
        }}
        onBlur={() => setTyped(undefined)}
      />
      {help !== undefined && (
        <p id={`${id}-help`} className="quiet">
          {t(help)}
        </p>
      )}
    </div>
  );
}

function Help() {
  return (
    <details className="help">
      <summary>{t("submit.fields")}</summary>
      <dl className="facts">
        {FIELDS.map(([name, kind, says]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>
              {kind} <span className="quiet">{says}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
