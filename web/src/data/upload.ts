/** Files of this computer become files of the grid: checksum, announce, put each on its storage, commit all or none. */
import { answer, api, type Schemas } from "../api/client";
import { Problem } from "../api/problem";
import { t } from "../i18n";
import { checksum } from "./adler32";
import { inTurns, isThere } from "./turns";

export type Phase = "waiting" | "reading" | "ready" | "sending" | "sent" | "done" | "failed";
/** A file on its way, and how far it is. */
export type Sending = { file: File; did: string; phase: Phase; moved: number };
type Grant = Schemas["Upload"];
export type Plan = {
  files: { file: File; did: string }[];
  dataset: string | undefined;
  rule: { rse_expression: string; copies: number; lifetime: string | null } | undefined;
};

/** So many files go up at once. */
const AT_ONCE = 3;
const TRIES = 3;

/**
 * Upload; `onChange` hears how each file is, by its place in the plan. What was announced is given up when something
 * fails or the signal aborts. Raises a `Problem`.
 */
export async function upload(
  plan: Plan,
  onChange: (n: number, how: Partial<Sending>) => void,
  signal: AbortSignal,
): Promise<void> {
  const sums: string[] = [];
  for (const [n, { file }] of plan.files.entries()) {
    onChange(n, { phase: "reading", moved: 0 });
    sums.push(await checksum(file, (moved) => onChange(n, { moved }), signal));
    onChange(n, { phase: "ready", moved: 0 });
  }
  const files = plan.files.map(({ file, did }, n) => ({
    did,
    size: file.size,
    adler32: sums[n] ?? "",
    ...(plan.dataset === undefined ? {} : { dataset: plan.dataset }),
  }));
  const rule = plan.rule === undefined ? {} : { rule: plan.rule };
  const { uploads } = await answer(api.POST("/v1/uploads", { body: { files, ...rule } }));
  const intents = uploads.map((one) => one.intent_id);
  try {
    const putOne = async (grant: Grant, n: number, ending: AbortSignal) => {
      const file = plan.files[n]?.file;
      if (file !== undefined) await put(grant, file, (how) => onChange(n, how), ending);
    };
    await inTurns(uploads, AT_ONCE, putOne, signal);
    await answer(api.POST("/v1/uploads/commit", { body: { intents } }));
  } catch (error) {
    // What cannot be given up now ends by itself.
    await api.POST("/v1/uploads/cancel", { body: { intents } }).catch(() => undefined);
    throw error;
  }
  for (const n of uploads.keys()) onChange(n, { phase: "done" });
}

async function put(
  grant: Grant,
  file: File,
  onChange: (how: Partial<Sending>) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let left = TRIES - 1; ; left -= 1) {
    signal.throwIfAborted();
    onChange({ phase: "sending", moved: 0 });
    const status = await send(grant, file, (moved) => onChange({ moved }), signal);
    if (isThere(status, left < TRIES - 1)) return onChange({ phase: "sent", moved: file.size });
    if (left === 0 || (status > 0 && status < 500)) throw refused(grant, status);
  }
}

/** The status that a storage answers with; 0 when there is no answer, or the browser may not ask. */
function send(
  grant: Grant,
  file: File,
  onMoved: (bytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // Alone of what browsers have, it says how much has been sent.
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    signal.addEventListener("abort", stop, { once: true });
    request.upload.onprogress = (event) => onMoved(event.loaded);
    request.onload = () => resolve(request.status);
    request.onerror = () => resolve(0);
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", stop);
    request.open("PUT", grant.url);
    if (grant.token !== "") request.setRequestHeader("authorization", `Bearer ${grant.token}`);
    request.send(file);
  });
}

/** A storage that did not take a file is none of the server's troubles: it is not away. */
function refused(grant: Grant, status: number): Problem {
  const facts = { rse: grant.rse, origin: originOf(grant.url), status };
  const detail = t(status === 0 ? "upload.unreachable" : "upload.refused", facts);
  return new Problem(424, { code: "storage_refused", detail, hint: t("upload.hint") });
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return url;
  }
}
