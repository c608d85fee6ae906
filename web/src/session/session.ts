/**
 * The session of this browser. The access token is in memory alone; what renews it is a cookie that no script can
 * read, and that is sent to `/ui/session` only.
 */
import { asProblem, problemOf } from "../api/problem";

const SESSION = "/ui/session";
const UNDER_WAY = "sancho.login";
const LAST_VO = "sancho.vo";
const EARLY = 60_000;

type Given = { access_token: string; expires_in: number };
type Listener = () => void;

let token: { text: string; until: number } | undefined;
let renewing: Promise<string | undefined> | undefined;
let ended = false;
const listeners = new Set<Listener>();

/** Hear when the session begins or ends. */
export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether a session that was there has ended by itself. */
export const hasEnded = (): boolean => ended;
/** Whether somebody is signed in, as far as is known here. */
export const signedIn = (): boolean => token !== undefined;
/** The VO that was chosen the last time. */
export const lastVo = (): string => localStorage.getItem(LAST_VO) ?? "";

/** A token that is good for a while, or none. */
export async function accessToken(): Promise<string | undefined> {
  if (token !== undefined && token.until - Date.now() > EARLY) return token.text;
  return renewed();
}

/** The next token of the session; none when it has ended. Asked for once, however many want it. */
export function renewed(): Promise<string | undefined> {
  renewing ??= renew().finally(() => {
    renewing = undefined;
  });
  return renewing;
}

async function renew(): Promise<string | undefined> {
  const had = token !== undefined;
  const response = await ask("POST", "/renewal");
  if (response.status >= 500 || response.status === 429) throw await problemOf(response);
  if (response.status !== 200) {
    token = undefined;
    ended = ended || had;
    tell();
    return undefined;
  }
  return keep((await response.json()) as Given);
}

function keep(given: Given): string {
  token = { text: given.access_token, until: Date.now() + 1000 * given.expires_in };
  ended = false;
  tell();
  return token.text;
}

/** Go to the login page of the server, to come back to where we are. */
export async function signIn(vo: string): Promise<void> {
  const verifier = random(48);
  const state = random(24);
  const here = location.pathname + location.search;
  sessionStorage.setItem(UNDER_WAY, JSON.stringify({ verifier, state, here }));
  localStorage.setItem(LAST_VO, vo);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: "sancho-web",
    redirect_uri: `${location.origin}/ui/signed-in`,
    vo,
    state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: "S256",
  });
  location.assign(`/v1/auth/authorize?${query}`);
}

/** Finish a login that has come back; where to go on. A login that is not ours, or was refused, is none. */
export async function comeBack(
  said: URLSearchParams,
): Promise<{ here: string; refused: string | undefined }> {
  const kept = sessionStorage.getItem(UNDER_WAY);
  sessionStorage.removeItem(UNDER_WAY);
  if (kept === null) return { here: "/ui/", refused: "login_over" };
  const begun = JSON.parse(kept) as { verifier: string; state: string; here: string };
  const code = said.get("code");
  if (code === null || said.get("state") !== begun.state) {
    return { here: begun.here, refused: said.get("error") ?? "login_over" };
  }
  const response = await ask("POST", "", { code, verifier: begun.verifier });
  if (!response.ok) throw await problemOf(response);
  keep((await response.json()) as Given);
  return { here: begun.here, refused: undefined };
}

/** End the session, here and at the server. */
export async function signOut(): Promise<void> {
  const response = await ask("DELETE", "");
  if (!response.ok) throw await problemOf(response);
  token = undefined;
  ended = false;
  tell();
}

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "x-sancho-page": "1", "content-type": "application/json" };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  try {
    return await fetch(SESSION + path, { method, headers, credentials: "same-origin", ...init });
  } catch (error) {
    throw asProblem(error);
  }
}

function tell(): void {
  for (const listener of listeners) listener();
}

function random(bytes: number): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** Bytes as RFC 7636 writes them. */
export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
