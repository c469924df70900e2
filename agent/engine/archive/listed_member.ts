/** Converts members of an archive for listings. */
import type { Member, MemberType } from "./archive_index.ts";

/** A member whose type is known. */
export type ListedMember = Member & { type: MemberType };

/** Returns the member; null if the index contains only its name. */
export function listedMember(member: Member): ListedMember | null {
  return member.type === "unknown" ? null : { ...member, type: member.type };
}

/** Converts permissions from the form that `ls` prints to octal digits: `rwsr-x--T` to `5750`. */
export function octalMode(shown: string): string {
  let mode = 0;
  for (let at = 0; at < 9; at++) {
    const letter = shown[at]!;
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 0o400 >> at;
    // The third letter of each triple also says whether set-user-id, set-group-id or the sticky bit is set.
    if (/[sStT]/.test(letter)) mode |= 0o4000 >> Math.floor(at / 3);
  }
  return mode.toString(8).padStart(4, "0");
}
