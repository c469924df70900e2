/** Members of a backup as a listing shows them. */
import type { Member, MemberType } from "./archive_index.ts";

/** A member of a type that a listing has a word for. */
export type ListedMember = Member & { type: MemberType };

/** Null where the index tells no more than its name. */
export function listedMember(member: Member): ListedMember | null {
  return member.type === "unknown" ? null : { ...member, type: member.type };
}

/** `rwsr-x--T` as `5750`. */
export function octalMode(shown: string): string {
  let mode = 0;
  for (let at = 0; at < 9; at++) {
    const letter = shown[at]!;
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 0o400 >> at;
    // The last of each three tells set-user-id, set-group-id or sticky as well.
    if (/[sStT]/.test(letter)) mode |= 0o4000 >> Math.floor(at / 3);
  }
  return mode.toString(8).padStart(4, "0");
}
