import { t } from "../i18n";

/** What went wrong, as the server says it (`application/problem+json`), or that it does not answer. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly field: string | undefined;
  readonly traceId: string | undefined;
  readonly permission: string | undefined;

  constructor(status: number, said: Record<string, unknown>) {
    super(text(said.detail) ?? t("problem.unknown", { status }));
    this.status = status;
    this.code = text(said.code) ?? "unknown";
    this.hint = text(said.hint);
    this.field = text(said.field);
    this.traceId = text(said.trace_id);
    const facts = said.facts;
    this.permission =
      facts !== null && typeof facts === "object" && "permission" in facts
        ? text(facts.permission)
        : undefined;
  }

  /** The server does not answer: asking again may help, and nothing was lost. */
  get away(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** A problem out of whatever came back. */
export async function problemOf(response: Response): Promise<Problem> {
  try {
    const said: unknown = await response.json();
    return new Problem(response.status, said !== null && typeof said === "object" ? { ...said } : {});
  } catch {
    return new Problem(response.status, {});
  }
}

/** A problem out of whatever was thrown. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, { code: "away", detail: t("problem.away"), hint: t("problem.awayHint") });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
