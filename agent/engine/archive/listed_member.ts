/** Converts members of a backup for listings. */
import type { Member, MemberType } from "./archive_index.ts";

/** Member whose type is known. */
export type ListedMember = Member & { type: MemberType };

/** Returns the member, or null if the index holds only its name. */
export function listedMember(member: Member): ListedMember | null {
  return member.type === "unknown" ? null : { ...member, type: member.type };
}

/** Converts `rwsr-x--T` to `5750`. */
export function octalMode(shown: string): string {
  let mode = 0;
  for (let at = 0; at < 9; at++) {
    const letter = shown[at]!;
    if (letter !== "-" && letter !== "S" && letter !== "T") mode |= 0o400 >> at;
    // The last letter of each three also holds set-user-id, set-group-id or sticky.
    if (/[sStT]/.test(letter)) mode |= 0o4000 >> Math.floor(at / 3);
  }
  return mode.toString(8).padStart(4, "0");
}
