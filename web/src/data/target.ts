/** Where uploads go, as their form has it. */
import { NO_WISH, type Wish } from "./wish";

export type Place = { scope: string; folder: string; dataset: string; wish: Wish };
export const START: Place = { scope: "", folder: "", dataset: "", wish: NO_WISH };

/** Where files go that are added to a dataset: below its name. Without one, into the first scope. */
export function placeFor(dataset: string | undefined, scopes: string[]): Partial<Place> {
  const scope = dataset?.slice(0, dataset.indexOf(":"));
  if (dataset === undefined || scope === undefined || !scopes.includes(scope))
    return { scope: scopes[0] ?? "" };
  return { scope, folder: dataset.slice(scope.length + 1), dataset };
}

/** The rule that is wished for the files; none when the form says no place. */
export function ruleOf({
  wish,
}: Place): { rse_expression: string; copies: number; lifetime: string | null } | undefined {
  const expression = wish.expression.trim();
  if (expression === "") return undefined;
  const lifetime = wish.lifetime.trim() === "" ? null : wish.lifetime.trim();
  return { rse_expression: expression, copies: Math.max(1, Math.round(Number(wish.copies)) || 1), lifetime };
}
