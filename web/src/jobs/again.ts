/** A job's description as a draft for doing the same again. */
import { stringify } from "yaml";

type Described = { description: Record<string, unknown>; parameters: Record<string, unknown> };

/**
 * The draft that does what a job did: its own parameters are filled in, what says nothing is left out, and outputs get
 * names of their own, since a name is used once.
 */
export function again({ description, parameters }: Described): string {
  const said = Object.fromEntries(Object.entries(description).filter(([, value]) => !isNothing(value)));
  for (const part of ["command", "environment", "outputs"]) {
    if (part in said) said[part] = filled(said[part], parameters);
  }
  if (Array.isArray(said.outputs)) said.outputs = said.outputs.map(renamed);
  return stringify(said, { lineWidth: 0 });
}

function renamed(output: unknown): unknown {
  if (typeof output !== "object" || output === null || !("did" in output)) return output;
  const rest = Object.fromEntries(Object.entries(output).filter(([, value]) => !isNothing(value)));
  return { ...rest, did: otherName(String(output.did)) };
}

/** A name beside another: `mc:a.root`, `mc:a-again.root`, `mc:a-again-2.root`. */
export function otherName(did: string): string {
  const [, stem = did, end = ""] = /^(.+?)(\.[^./:]*)?$/.exec(did) ?? [];
  const [, before, count] = /^(.*)-again(?:-(\d+))?$/.exec(stem) ?? [];
  return before === undefined ? `${stem}-again${end}` : `${before}-again-${Number(count ?? 1) + 1}${end}`;
}

function filled(value: unknown, parameters: Record<string, unknown>): unknown {
  if (typeof value === "string") {
    return value.replace(/\{(\w+)\}/g, (all, name: string) =>
      name in parameters ? String(parameters[name]) : all,
    );
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, parameters));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, parameters)]));
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
