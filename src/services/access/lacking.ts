/** Says why a caller lacks an ability. */
import type { Ability } from "../../domain/abilities.ts";
import { abilitiesOf } from "../../domain/access/roles.ts";
import type { Caller } from "../context.ts";

/**
 * Returns the beginning of an error message. It says what lacks the ability: the caller's role, token or
 * account.
 */
export function lackingOf({ role, credential }: Caller, ability: Ability): string {
  if (ability === "admin" && credential.kind === "session") return "You are no administrator";
  const isOfRole = ability === "admin" || abilitiesOf(role, false).has(ability);
  return isOfRole
    ? `This token lacks the ${ability} ability`
    : `The role ${role} lacks the ${ability} ability`;
}
