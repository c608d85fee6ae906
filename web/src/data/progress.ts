/** How far a rule is carried out. */
export type Tallied = { ok: number; replicating: number; stuck: number };
export type Part = { kind: keyof Tallied; count: number; share: number };

/** The parts of a bar, in per cent of all locks: none is rounded away, and together they are 100. */
export function partsOf(rule: Tallied): Part[] {
  const all = rule.ok + rule.replicating + rule.stuck;
  const kinds = (["ok", "replicating", "stuck"] as const).filter((kind) => rule[kind] > 0);
  const shares = kinds.map((kind) => Math.max(1, Math.floor((100 * rule[kind]) / all)));
  const rest = 100 - shares.reduce((sum, one) => sum + one, 0);
  const widest = shares.indexOf(Math.max(...shares));
  return kinds.map((kind, n) => ({
    kind,
    count: rule[kind],
    share: (shares[n] ?? 0) + (n === widest ? rest : 0),
  }));
}
