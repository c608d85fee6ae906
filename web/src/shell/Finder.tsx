import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { t } from "../i18n";
import { Dialog } from "../kit/Dialog";
import { PageLink } from "../kit/PageLink";
import { Text } from "../kit/Text";
import { type Hit, hits } from "./hits";

/** Whether the one key `/` opens the search: people who speak to their computers want it off (WCAG 2.1.4). */
const KEPT = "sancho.slash";
const PAUSE = 250;

/** The one search box: a button in the head, and the keys `/` and Ctrl+K from everywhere. */
export function Finder() {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent) => {
      if (!opens(event) || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      setOpen(true);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  return (
    <>
      <button
        type="button"
        className="finder"
        aria-label={t("find.open")}
        aria-keyshortcuts="/ Control+K"
        onClick={() => setOpen(true)}
      >
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" strokeWidth="1.6" />
          <path d="M10.5 10.5 14 14" stroke="currentColor" strokeWidth="1.6" />
        </svg>
        <span className="finder-text">{t("find.open")}</span>
        <span className="key" aria-hidden="true">
          /
        </span>
      </button>
      {open && (
        <Dialog title={t("find.title")} onClose={() => setOpen(false)}>
          <Box onGo={() => setOpen(false)} />
        </Dialog>
      )}
    </>
  );
}

function opens(event: globalThis.KeyboardEvent): boolean {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return true;
  const place = event.target;
  const writing = place instanceof HTMLElement && place.closest("input, textarea, select") !== null;
  return event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey && slash();
}

const slash = (): boolean => localStorage.getItem(KEPT) !== "off";

function Box({ onGo }: { onGo: () => void }) {
  const [text, setText] = useState("");
  const { found, busy } = useHits(text);
  const router = useRouter();
  const list = useRef<HTMLUListElement>(null);
  const field = useId();
  const [on, setOn] = useState(slash);
  const first = found?.[0];
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (first === undefined || busy) return;
    onGo();
    void router.navigate({ href: `/ui${first.to}` });
  };
  const move = (event: KeyboardEvent<HTMLElement>) => step(event, list.current);
  const change = (now: boolean) => {
    localStorage.setItem(KEPT, now ? "on" : "off");
    setOn(now);
  };
  return (
    <search className="find" onKeyDown={move}>
      <form onSubmit={go}>
        <label htmlFor={field} className="sr-only">
          {t("find.label")}
        </label>
        <input
          id={field}
          type="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder={t("find.hint")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </form>
      <p role="status" className="quiet">
        {status(text, found, busy)}
      </p>
      <ul ref={list} className="hits">
        {found?.map((one) => (
          <li key={one.to + one.name}>
            <PageLink to={one.to} onGo={onGo}>
              <span className="hit-kind">{one.kind}</span>
              <span className="hit-name">
                <Text longest={120}>{one.name}</Text>
              </span>
              {one.detail !== undefined && (
                <span className="quiet">
                  <Text longest={80}>{one.detail}</Text>
                </span>
              )}
            </PageLink>
          </li>
        ))}
      </ul>
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => change(event.target.checked)} />
        {t("find.slash")}
      </label>
    </search>
  );
}

function status(text: string, found: Hit[] | undefined, busy: boolean): string {
  if (text.trim() === "") return t("find.help");
  if (busy || found === undefined) return t("common.loading");
  return found.length === 0 ? t("find.nothing") : t("find.found", { count: found.length });
}

/** Arrows go from the field through what was found, and back. */
function step(event: KeyboardEvent<HTMLElement>, list: HTMLUListElement | null): void {
  const way = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const links = [...(list?.querySelectorAll("a") ?? [])];
  if (way === 0 || links.length === 0) return;
  event.preventDefault();
  const here = document.activeElement;
  const now = here instanceof HTMLAnchorElement ? links.indexOf(here) : -1;
  const next = links[now + way];
  if (next !== undefined) next.focus();
  else if (way < 0) event.currentTarget.querySelector("input")?.focus();
}

function useHits(text: string): { found: Hit[] | undefined; busy: boolean } {
  const cache = useQueryClient();
  const [known, setKnown] = useState<{ text: string; found: Hit[] }>();
  useEffect(() => {
    const ending = new AbortController();
    const timer = setTimeout(() => {
      hits(text, cache, ending.signal).then(
        (found) => {
          if (!ending.signal.aborted) setKnown({ text, found });
        },
        () => setKnown({ text, found: [] }),
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      ending.abort();
    };
  }, [text, cache]);
  return { found: known?.found, busy: known?.text !== text };
}
