import { type FormEvent, useId, useState } from "react";
import { t } from "../i18n";
import { Trouble } from "../kit/Trouble";
import { lastVo, signIn } from "./session";

/** Asks for the VO, and leads to its login. */
export function SignInForm() {
  const [vo, setVo] = useState(lastVo);
  const [error, setError] = useState<unknown>();
  const field = useId();
  const go = (event: FormEvent) => {
    event.preventDefault();
    signIn(vo.trim()).catch(setError);
  };
  return (
    <form onSubmit={go} className="stack">
      <div className="field">
        <label htmlFor={field}>{t("session.vo")}</label>
        <input
          id={field}
          name="vo"
          required
          pattern="\s*[a-z0-9][a-z0-9._\-]*\s*"
          autoCapitalize="none"
          autoComplete="organization"
          spellCheck={false}
          aria-describedby={`${field}-help`}
          value={vo}
          onChange={(event) => setVo(event.target.value)}
        />
        <p id={`${field}-help`} className="quiet">
          {t("session.voHelp", { example: "demo" })}
        </p>
      </div>
      {error !== undefined && <Trouble error={error} />}
      <button type="submit" className="button primary">
        {t("session.go")}
      </button>
    </form>
  );
}

/** The whole page while nobody is signed in. */
export function SignInPage({ refused }: { refused?: string | undefined }) {
  return (
    <main className="sign-in">
      <div className="card stack">
        <h1>{t("session.title")}</h1>
        <p>{t("session.intro")}</p>
        {refused !== undefined && (
          <p role="alert" className="trouble">
            {t("session.refused", { why: refused })}
          </p>
        )}
        <SignInForm />
      </div>
    </main>
  );
}
