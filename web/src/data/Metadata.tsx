import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { api } from "../api/client";
import { t } from "../i18n";
import { Empty } from "../kit/Empty";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";
import { shown as seen } from "../kit/text";
import { type DidInfo, type MetadataKey, metadataKeys, metadataOf } from "./queries";
import { choices, sent, takes, written } from "./values";

/** What a DID says by the keys of the VO, and what the collections above it say; its own can be changed. */
export function Metadata({ shown }: { shown: DidInfo }) {
  const own = useQuery(metadataOf(shown.did, false));
  const all = useQuery(metadataOf(shown.did, true));
  const keys = useQuery(metadataKeys);
  const [editing, setEditing] = useState<string>();
  if (own.data === undefined || keys.data === undefined) {
    const error = own.error ?? keys.error;
    return error === null ? (
      <p className="waiting">{t("common.loading")}</p>
    ) : (
      <Trouble error={error} onRetry={own.refetch} />
    );
  }
  const said = own.data.metadata;
  const inherited = Object.entries(all.data?.metadata ?? {}).filter(([name]) => !(name in said));
  const byName = new Map(keys.data.map((one) => [one.name, one]));
  const free = keys.data.filter((one) => one.dids.includes(shown.kind) && !(one.name in said));
  const names = [
    ...Object.keys(said).sort(),
    ...(editing !== undefined && !(editing in said) ? [editing] : []),
  ];
  return (
    <>
      {names.length > 0 && (
        <ul className="values card">
          {names.map((name) => (
            <li key={name}>
              <Name name={name} meaning={byName.get(name)} />
              {editing === name ? (
                <Editor
                  did={shown.did}
                  name={name}
                  meaning={byName.get(name)}
                  value={said[name]}
                  onDone={() => setEditing(undefined)}
                />
              ) : (
                <span className="value">
                  <Value value={said[name]} meaning={byName.get(name)} />
                  <button
                    type="button"
                    className="button quiet"
                    aria-label={t("meta.editKey", { key: seen(name, 60) })}
                    onClick={() => setEditing(name)}
                  >
                    {t("meta.edit")}
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {inherited.length > 0 && (
        <>
          <h2>{t("meta.inherited")}</h2>
          <ul className="values card">
            {inherited.map(([name, value]) => (
              <li key={name}>
                <Name name={name} meaning={byName.get(name)} />
                <Value value={value} meaning={byName.get(name)} />
              </li>
            ))}
          </ul>
        </>
      )}
      {names.length === 0 && inherited.length === 0 && (
        <Empty title={t("meta.noneTitle")}>
          <p>{t(keys.data.length === 0 ? "meta.noKeys" : "meta.none")}</p>
        </Empty>
      )}
      {free.length > 0 && <Adding keys={free} onAdd={setEditing} />}
    </>
  );
}

function Name({ name, meaning }: { name: string; meaning: MetadataKey | undefined }) {
  return (
    <span>
      <strong>
        <Text longest={100}>{name}</Text>
      </strong>
      {meaning?.description != null && (
        <span className="quiet">
          {" "}
          <Text longest={300}>{meaning.description}</Text>
        </span>
      )}
    </span>
  );
}

function Value({ value, meaning }: { value: unknown; meaning: MetadataKey | undefined }) {
  return (
    <span>
      <Text longest={500}>{written(value)}</Text>
      {meaning?.unit != null && <span className="quiet"> {seen(meaning.unit, 40)}</span>}
    </span>
  );
}

type EditorProps = {
  did: string;
  name: string;
  meaning: MetadataKey | undefined;
  value: unknown;
  onDone: () => void;
};

function Editor({ did, name, meaning, value, onDone }: EditorProps) {
  const cache = useQueryClient();
  const [text, setText] = useState(written(value));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const id = useId();
  const words = meaning === undefined ? undefined : choices(meaning);
  const save = (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const body = { dids: [{ did, metadata: { [name]: sent(text) } }] };
    api
      .POST("/v1/metadata", { body })
      .then(() => cache.invalidateQueries({ queryKey: ["did", did, "metadata"] }))
      .then(onDone, setError)
      .finally(() => setBusy(false));
  };
  return (
    <form className="editing" onSubmit={save}>
      <label htmlFor={id} className="sr-only">
        {seen(name, 60)}
      </label>
      {words === undefined ? (
        <input
          id={id}
          value={text}
          spellCheck={false}
          placeholder={meaning === undefined ? "" : takes(meaning)}
          list={meaning?.vocabulary == null ? undefined : `${id}-words`}
          onChange={(event) => setText(event.target.value)}
        />
      ) : (
        <select id={id} value={text} onChange={(event) => setText(event.target.value)}>
          <option value="">{t("meta.nothing")}</option>
          {words.map((word) => (
            <option key={word} value={word}>
              {seen(word, 80)}
            </option>
          ))}
        </select>
      )}
      {meaning?.vocabulary != null && (
        <datalist id={`${id}-words`}>
          {meaning.vocabulary.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
      {meaning?.unit != null && <span className="quiet">{seen(meaning.unit, 40)}</span>}
      <button type="submit" className="button primary" disabled={busy}>
        {t("common.save")}
      </button>
      <button type="button" className="button" onClick={onDone}>
        {t("common.cancel")}
      </button>
      {error !== undefined && <Trouble error={error} />}
    </form>
  );
}

function Adding({ keys, onAdd }: { keys: MetadataKey[]; onAdd: (name: string) => void }) {
  const id = useId();
  return (
    <div className="buttons adding">
      <label htmlFor={id}>{t("meta.add")}</label>
      <select id={id} value="" onChange={(event) => onAdd(event.target.value)}>
        <option value="">{t("meta.choose")}</option>
        {keys.map((key) => (
          <option key={key.name} value={key.name}>
            {seen(key.name, 60)} ({seen(takes(key), 60)})
          </option>
        ))}
      </select>
    </div>
  );
}
