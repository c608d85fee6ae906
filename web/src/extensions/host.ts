/** The page's side of what it and an extension say to each other. */
import type { Call, Hello, Look, Query, Said, Subject } from "../../../src/sancho/web/host/host-1";
import { authorized } from "../api/client";
import { asProblem, Problem, problemOf } from "../api/problem";
import { Allowance, declaredFor, pageAt, readCall, refusal, textWithin } from "./calls";
import type { Extension } from "./queries";

const AT_ONCE = 30;
const PER_SECOND = 10;
const UNDER_WAY = 4;
const LARGEST = 1_000_000;
const PATIENCE = 30_000;
const COLOURS = [
  "--ground",
  "--surface",
  "--raised",
  "--line",
  "--text",
  "--quiet",
  "--accent",
  "--accent-soft",
  "--danger",
  "--danger-soft",
  "--ok",
  "--ok-soft",
  "--wait",
  "--mono",
] as const;

export type Shown = {
  extension: Extension;
  subject: Subject;
  place: Hello["place"];
  vo: string;
  account: string;
};
/** What the page does with what an extension wants. */
export type Doing = { open: (page: string) => void; height: (pixels: number) => void; gone: () => void };

/** How the page looks now. */
export function look(): Look {
  const style = getComputedStyle(document.documentElement);
  const chosen = document.documentElement.dataset.theme;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    scheme: chosen === "dark" || (chosen !== "light" && dark) ? "dark" : "light",
    colours: Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(name).trim()])),
  };
}

/**
 * Talk to the extension in a frame, from its first word until the frame shows something else or is taken away. One port
 * for one document: whatever the frame is led to afterwards has nobody to talk to.
 */
export function host(frame: HTMLIFrameElement, shown: Shown, doing: Doing): () => void {
  const channel = new MessageChannel();
  const port = channel.port1;
  let met = false;
  let loads = 0;

  const hear = ({ source, data }: MessageEvent<unknown>) => {
    if (source !== frame.contentWindow || !isHere(data) || met) return;
    met = true;
    const { place, subject, vo, account } = shown;
    const hello: Hello = { sancho: 1, vo, account, place, subject, look: look() };
    // A document without an origin has none to address; the frame's policy says what may stand in it.
    frame.contentWindow?.postMessage(hello, "*", [channel.port2]);
  };
  const loaded = () => {
    loads += 1;
    if (loads === 1) return;
    stop();
    doing.gone();
  };
  const stopWatching = watchLook((now) => {
    if (met) port.postMessage({ look: now } satisfies Said);
  });
  const stop = () => {
    met = true;
    port.close();
    stopWatching();
    removeEventListener("message", hear);
    frame.removeEventListener("load", loaded);
  };

  port.onmessage = answering(port, shown.extension, doing);
  addEventListener("message", hear);
  frame.addEventListener("load", loaded);
  return stop;
}

function answering(port: MessagePort, extension: Extension, doing: Doing) {
  const allowance = new Allowance(AT_ONCE, PER_SECOND, performance.now());
  let underWay = 0;
  return ({ data }: MessageEvent<unknown>) => {
    const call = readCall(data);
    if (call === undefined) return;
    const { id } = call;
    const refuse = (status: number, code: string, message: string) =>
      port.postMessage({ id, ok: false, problem: refusal(status, code, message) } satisfies Said);
    if (!allowance.take(performance.now()) || (call.call === "get" && underWay >= UNDER_WAY)) {
      refuse(429, "too_many", "An extension may ask ten times a second, and four times at once.");
      return;
    }
    underWay += 1;
    carryOut(call, extension, doing)
      .then(
        (value) => port.postMessage({ id, ok: true, value } satisfies Said),
        (error: unknown) => {
          const problem = asProblem(error);
          refuse(problem.status, problem.code ?? "error", problem.message);
        },
      )
      .finally(() => {
        underWay -= 1;
      });
  };
}

async function carryOut(call: Call, extension: Extension, doing: Doing): Promise<unknown> {
  switch (call.call) {
    case "get":
      return read(extension.asks, call.path, call.query ?? {});
    case "height":
      doing.height(call.pixels);
      return null;
    case "open": {
      const page = pageAt(call.to);
      if (page === undefined) throw refused(400, "no_such_page", "Only pages of Sancho are opened.");
      // Pages change when somebody wants it: the browser says whether they have just clicked or typed.
      if (!navigator.userActivation.isActive) throw refused(403, "not_wanted", "Nobody has clicked.");
      doing.open(page);
      return null;
    }
  }
}

async function read(asks: readonly string[], path: string, query: Query): Promise<unknown> {
  const route = declaredFor(asks, path);
  if (route === undefined) {
    throw refused(
      403,
      "not_declared",
      `This extension does not declare that it asks for ${path.slice(0, 200)}.`,
    );
  }
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  // The server has the last word on which route a path leads to, and answers by the declared one alone.
  const request = new Request(url, {
    headers: { "x-sancho-route": route },
    redirect: "error",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const response = await authorized(request);
  if (!response.ok) throw await problemOf(response);
  const text = await textWithin(response, LARGEST);
  if (text === undefined) throw refused(413, "too_large", "The answer is over 1 MB: ask for less at once.");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function watchLook(tell: (look: Look) => void): () => void {
  const change = () => tell(look());
  const media = matchMedia("(prefers-color-scheme: dark)");
  const seen = new MutationObserver(change);
  seen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  media.addEventListener("change", change);
  return () => {
    seen.disconnect();
    media.removeEventListener("change", change);
  };
}

const isHere = (data: unknown): boolean =>
  typeof data === "object" && data !== null && "sancho" in data && data.sancho === "here";

const refused = (status: number, code: string, detail: string) => new Problem(status, { code, detail });
