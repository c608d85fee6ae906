import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { useEffect, useState, useSyncExternalStore } from "react";
import { asProblem } from "../api/problem";
import { extensions } from "../extensions/queries";
import { t } from "../i18n";
import { me } from "../jobs/queries";
import { Text } from "../kit/Text";
import { dismiss, say, shownToasts, subscribeToasts } from "../kit/toast";
import { signOut } from "../session/session";
import { Finder } from "./Finder";
import { isLive, subscribeLive } from "./live";
import { setTheme, THEMES, theme } from "./theme";

/** What stands around every page. */
export function Shell() {
  const { pathname } = useLocation();
  // On a narrow screen there is more of the navigation than is in sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page has another link
  useEffect(() => {
    document.querySelector(".top nav a.active")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname]);
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t("app.skip")}
      </a>
      <header className="top">
        <Link to="/" className="brand">
          {t("app.name")}
        </Link>
        <nav aria-label={t("nav.label")}>
          <Link to="/" activeOptions={{ exact: true }}>
            {t("nav.home")}
          </Link>
          <Link to="/jobs" activeOptions={{ includeSearch: false }}>
            {t("nav.jobs")}
          </Link>
          <Link to="/data" activeOptions={{ includeSearch: false }}>
            {t("nav.data")}
          </Link>
          <Link to="/submit">{t("nav.submit")}</Link>
          <Link to="/operations" activeOptions={{ includeSearch: false }}>
            {t("nav.operations")}
          </Link>
          <Administration />
          <Added />
        </nav>
        <Finder />
        <Live />
        <ThemeButton />
        <Who />
      </header>
      <Away />
      <main id="content" tabIndex={-1}>
        <Outlet />
      </main>
      <Toasts />
    </div>
  );
}

/** The permissions that make somebody look at administration. */
const ADMINISTERS = ["*", "accounts:manage", "audit:read", "configuration:apply", "groups:manage"];

function Administration() {
  const { data } = useQuery(me);
  if (!data?.permissions.some((one) => ADMINISTERS.includes(one))) return null;
  return (
    <Link to="/admin" activeOptions={{ includeSearch: false }}>
      {t("nav.admin")}
    </Link>
  );
}

/** The pages that the VO has added. */
function Added() {
  const { data } = useQuery(extensions);
  return data?.items
    .filter((one) => one.places.includes("page"))
    .map((one) => (
      <Link key={one.name} to="/x/$name" params={{ name: one.name }}>
        <Text longest={40}>{one.title}</Text>
      </Link>
    ));
}

function Live() {
  const live = useSyncExternalStore(subscribeLive, isLive);
  if (live === undefined) return null;
  return (
    <span className={live ? "live on" : "live"} title={t(live ? "live.onTitle" : "live.offTitle")}>
      {t(live ? "live.on" : "live.off")}
    </span>
  );
}

function ThemeButton() {
  const [now, setNow] = useState(theme);
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "system";
  const change = () => {
    setTheme(next);
    setNow(next);
  };
  const label = t("nav.theme", { theme: t(`theme.${now}`) });
  return (
    <button type="button" className="icon" onClick={change} aria-label={label} title={label}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeWidth="1.500" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
    </button>
  );
}

function Who() {
  const { data } = useQuery(me);
  const cache = useQueryClient();
  const out = () => {
    signOut().then(
      () => cache.clear(),
      (error: unknown) => say(asProblem(error).message),
    );
  };
  return (
    <div className="who">
      {data !== undefined && (
        <Text longest={60}>{t("session.who", { account: data.account, vo: data.vo })}</Text>
      )}
      <button type="button" className="button quiet" onClick={out}>
        {t("session.out")}
      </button>
    </div>
  );
}

/** Says that the server does not answer, as long as it does not. */
function Away() {
  const cache = useQueryClient();
  const queries = cache.getQueryCache();
  const away = useSyncExternalStore(
    (listener) => queries.subscribe(listener),
    () =>
      queries
        .getAll()
        .some((one) => one.state.fetchFailureReason !== null && asProblem(one.state.fetchFailureReason).away),
  );
  return away ? (
    <p role="status" className="banner">
      {t("problem.banner")}
    </p>
  ) : null;
}

function Toasts() {
  const toasts = useSyncExternalStore(subscribeToasts, shownToasts);
  return (
    <div className="toasts" role="status">
      {toasts.map((one) => (
        <p key={one.id} className="toast">
          <span>{one.text}</span>
          {one.undo !== undefined && (
            <button
              type="button"
              className="button"
              onClick={() => {
                one.undo?.();
                dismiss(one.id);
              }}
            >
              {t("action.undo")}
            </button>
          )}
          <button
            type="button"
            className="icon"
            aria-label={t("common.close")}
            onClick={() => dismiss(one.id)}
          >
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
