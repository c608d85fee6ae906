import { Link } from "@tanstack/react-router";
import { t } from "../i18n";
import { Text } from "../kit/Text";

const SHAPES: Record<string, string> = {
  directory: "M1.500 3.500h4.500l1.500 2h7v7.500h-13z",
  container: "M2 2.500h12v3.500h-12zM2 6h12v7.500h-12zM6 8.500h4",
  dataset:
    "M2.500 4.500l5.500-2.500 5.500 2.500v7l-5.500 2.500-5.500-2.500zM2.500 4.500l5.500 2.500 5.500-2.500M8 7v7",
  file: "M3.500 1.500h6l3 3v10h-9zM9.500 1.500v3h3",
};

/** The sign of a kind: it says the kind to who cannot see it. */
export function KindSign({ kind }: { kind: string }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" className={`kind ${kind}`} role="img" aria-label={kind}>
      <path d={SHAPES[kind] ?? SHAPES.file} fill="none" stroke="currentColor" strokeWidth="1.300" />
    </svg>
  );
}

/** A DID's name, which leads to its page. */
export function DidLink({
  did,
  shown = did,
  longest = 200,
}: {
  did: string;
  shown?: string;
  longest?: number;
}) {
  return (
    <Link to="/data/did" search={{ did }}>
      <Text longest={longest}>{shown}</Text>
    </Link>
  );
}

const BADGES: Record<string, string> = {
  ok: "done",
  stuck: "failed",
  waiting: "waiting",
  injecting: "running",
  replicating: "running",
};

/** The state of a rule. */
export function RuleBadge({ state }: { state: Rule["state"] }) {
  return <span className={`state ${BADGES[state] ?? ""}`}>{t(`rule.state.${state}`)}</span>;
}

type Rule = { state: "waiting" | "injecting" | "replicating" | "ok" | "stuck" };
