/** A description that is being written: one text, in YAML or JSON, which the form reads and writes as well. */
import { isMap, parseDocument } from "yaml";
import { t } from "../i18n";

const KEPT = "sancho.draft";
/** What stands beside a description in a job file, as `sancho job submit` reads it. */
const BESIDE = ["count", "parameters", "after", "anyway", "idempotency_key"];

export const START = `name: hello
command: [sh, -c, "echo Hello from $(hostname)"]
requirements:
  cores: 1
  memory: 1 GB
  walltime: 10 min
`;

/** The draft of this browser, as it was left. */
export const draft = (): string => localStorage.getItem(KEPT) ?? START;
/** Keep a draft; at every change, so that nothing that happens to the page loses it. */
export const keepDraft = (text: string): void => localStorage.setItem(KEPT, text);

export type Field = readonly [string, ...string[]];
export type Read = { fault: string } | { body: Record<string, unknown> };

/** What is sent to submit a draft, or what is wrong with it. */
export function read(text: string): Read {
  const document = parseDocument(text, { prettyErrors: true });
  const first = document.errors[0];
  if (first !== undefined) return { fault: t("submit.faulty", { why: first.message.split("\n")[0] ?? "" }) };
  const said: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isMap(document.contents) || said === null || typeof said !== "object") {
    return { fault: t("submit.notMapping") };
  }
  const description: Record<string, unknown> = {};
  const beside: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(said))
    (BESIDE.includes(name) ? beside : description)[name] = value;
  const { count, ...rest } = beside;
  const rows = count === undefined || rest.parameters !== undefined ? {} : { parameters: { count } };
  return { body: { description, ...rest, ...rows } };
}

/** A field of a draft as its form shows it; empty where it is not there. */
export function fieldOf(text: string, path: Field): string {
  const document = parseDocument(text);
  if (!isMap(document.contents)) return "";
  const value: unknown = document.getIn(path);
  const plain =
    value !== null && typeof value === "object" && "toJSON" in value
      ? Reflect.apply(value.toJSON as () => unknown, value, [])
      : value;
  if (Array.isArray(plain)) return plain.map((word) => shellWord(String(word))).join(" ");
  return plain === undefined || plain === null ? "" : String(plain);
}

/** The draft with a field changed; the rest, comments too, stays as it was written. */
export function withField(text: string, path: Field, said: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) return text;
  if (said === "") document.deleteIn(path);
  else
    document.setIn(
      path,
      path[0] === "command" ? document.createNode(words(said), { flow: true }) : scalar(said),
    );
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function scalar(said: string): string | number {
  return /^\d{1,15}$/.test(said) ? Number(said) : said;
}

/** Words as a shell splits them. */
export function words(line: string): string[] {
  const found: string[] = [];
  for (const [, word] of line.matchAll(/\s*((?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+)/gs)) {
    const plain = (word ?? "").replace(
      /"((?:\\.|[^"\\])*)"?|'([^']*)'?|\\(.)/gs,
      (_, double, single, escaped) =>
        double === undefined ? String(single ?? escaped) : String(double).replace(/\\(["\\$`])/g, "$1"),
    );
    found.push(plain);
  }
  return found;
}

/** A word as a shell reads it back. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
