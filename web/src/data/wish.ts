/** A rule that is wished for, as its form has it, and as the server takes it. */
export type Wish = { expression: string; copies: string; lifetime: string; comment: string; ask: boolean };

export const NO_WISH: Wish = { expression: "", copies: "1", lifetime: "", comment: "", ask: false };
/** Lifetimes that are often wanted; the server reads others, too. */
export const LIFETIMES = ["7 d", "30 d", "180 d", "365 d"];

export type RuleBody = {
  did: string;
  rse_expression: string;
  copies: number;
  lifetime: string | null;
  comment: string | null;
  ask_approval: boolean;
  activity: string;
};

/** The wish for the server; none as long as it does not say where, or how many. */
export function bodyOf(did: string, wish: Wish): RuleBody | undefined {
  const copies = Number(wish.copies);
  if (wish.expression.trim() === "" || !Number.isInteger(copies) || copies < 1 || copies > 100)
    return undefined;
  return {
    did,
    rse_expression: wish.expression.trim(),
    copies,
    lifetime: wish.lifetime.trim() === "" ? null : wish.lifetime.trim(),
    comment: wish.comment.trim() === "" ? null : wish.comment.trim(),
    ask_approval: wish.ask,
    activity: "default",
  };
}
