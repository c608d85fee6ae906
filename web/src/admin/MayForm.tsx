import { type FormEvent, useId, useState } from "react";
import { answer, api, type Schemas } from "../api/client";
import { t } from "../i18n";
import { Panel } from "../kit/Panel";
import { Text } from "../kit/Text";
import { Trouble } from "../kit/Trouble";

/** Says whether an account may do something, why, and what it would need. */
export function MayForm() {
  const [account, setAccount] = useState("");
  const [permission, setPermission] = useState("");
  const [on, setOn] = useState("");
  const [said, setSaid] = useState<Schemas["Explanation"]>();
  const [error, setError] = useState<unknown>();
  const field = useId();
  const ask = (event: FormEvent) => {
    event.preventDefault();
    setError(undefined);
    const query = {
      permission: permission.trim(),
      ...(account.trim() === "" ? {} : { account: account.trim() }),
      ...(on.trim() === "" ? {} : { on: on.trim() }),
    };
    answer(api.GET("/v1/can", { params: { query } })).then(setSaid, (raised: unknown) => {
      setSaid(undefined);
      setError(raised);
    });
  };
  const fields = [
    { name: "account", label: t("may.account"), hint: "alice", value: account, set: setAccount },
    {
      name: "permission",
      label: t("may.permission"),
      hint: "rules:create",
      value: permission,
      set: setPermission,
    },
    { name: "on", label: t("may.on"), hint: "mc:raw/run7", value: on, set: setOn },
  ];
  return (
    <Panel title={t("may.title")}>
      <form className="stack" onSubmit={ask}>
        {fields.map((one) => (
          <div className="field" key={one.name}>
            <label htmlFor={`${field}-${one.name}`}>{one.label}</label>
            <input
              id={`${field}-${one.name}`}
              required={one.name === "permission"}
              placeholder={one.hint}
              autoCapitalize="none"
              spellCheck={false}
              value={one.value}
              onChange={(event) => one.set(event.target.value)}
            />
          </div>
        ))}
        <div className="buttons">
          <button type="submit" className="button">
            {t("may.ask")}
          </button>
        </div>
      </form>
      {error !== undefined && <Trouble error={error} />}
      {said !== undefined && (
        <div role="status">
          <p>
            <span className={said.allowed ? "state done" : "state failed"}>
              {t(said.allowed ? "may.yes" : "may.no")}
            </span>
          </p>
          <ul className="lines">
            {[...said.because, ...said.needed].map((one) => (
              <li key={one}>
                <Text longest={500}>{one}</Text>
              </li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}
