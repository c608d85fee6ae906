import { type ReactNode, useEffect, useState, useSyncExternalStore } from "react";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { Trouble } from "../kit/Trouble";
import { SignInForm, SignInPage } from "./SignIn";
import { comeBack, hasEnded, renewed, signedIn, subscribe } from "./session";

const BACK = "/ui/signed-in";

/** Shows the page to who is signed in. Where a session ends, the page stays as it is, below a question. */
export function Gate({ children }: { children: ReactNode }) {
  const inside = useSyncExternalStore(subscribe, signedIn);
  const ended = useSyncExternalStore(subscribe, hasEnded);
  const [ready, setReady] = useState(false);
  const [refused, setRefused] = useState<string>();
  const [error, setError] = useState<unknown>();

  useEffect(() => {
    enter()
      .then(setRefused, setError)
      .finally(() => setReady(true));
  }, []);

  if (error !== undefined) {
    return (
      <main className="sign-in">
        <div className="card">
          <Trouble error={error} onRetry={() => location.assign("/ui/")} />
        </div>
      </main>
    );
  }
  if (!ready) return <p className="waiting">{t("session.finishing")}</p>;
  if (!inside && !ended) return <SignInPage refused={refused} />;
  return (
    <>
      {children}
      {ended && <Ended />}
    </>
  );
}

function Ended() {
  const [hidden, setHidden] = useState(false);
  if (hidden) return null;
  return (
    <Dialog title={t("session.endedTitle")} onClose={() => setHidden(true)}>
      <p>{t("session.ended")}</p>
      <SignInForm />
    </Dialog>
  );
}

let entering: Promise<string | undefined> | undefined;

/** Take up the session of this browser, or the login that has just come back; why it was refused. Done once. */
function enter(): Promise<string | undefined> {
  entering ??= begin();
  return entering;
}

async function begin(): Promise<string | undefined> {
  if (location.pathname !== BACK) {
    await renewed();
    return undefined;
  }
  const { here, refused } = await comeBack(new URLSearchParams(location.search));
  history.replaceState(null, "", here);
  return refused;
}
