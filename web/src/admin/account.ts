/** What the document of an account is to say after a change. */
import type { Schemas } from "../api/client";

export type Account = Schemas["AccountOut"];
export type AccountChange = { groups: string[]; email: string | null };
type Spec = Record<string, unknown>;

/**
 * The document with what was changed: all else stays as it says, or, of an account that has none yet, as the account
 * is. The password and whether it is suspended stay as they are when they are not said: a record of them may be old.
 */
export function documentOf(
  account: Account | undefined,
  spec: Spec | undefined,
  change: AccountChange,
): Spec {
  if (spec !== undefined) {
    const { password_hash: _, suspended: __, ...kept } = spec;
    return { ...kept, ...change };
  }
  if (account === undefined) return change;
  const { kind, attributes, state } = account;
  // The first document of an account lets it act again, unless it says otherwise.
  return { kind, attributes, ...(state === "suspended" ? { suspended: true } : {}), ...change };
}
