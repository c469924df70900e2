/** Says why a caller lacks an ability. */
import type { Ability } from "../../domain/abilities.ts";
import { abilitiesOf } from "../../domain/access/roles.ts";
import type { Caller } from "../context.ts";

/** Returns the beginning of a sentence that says whether the caller's role or token lacks the ability. */
export function lackingOf({ role }: Caller, ability: Ability): string {
  const isOfRole = ability === "admin" || abilitiesOf(role, false).has(ability);
  return isOfRole
    ? `This token lacks the ${ability} ability`
    : `The role ${role} lacks the ${ability} ability`;
}
