/** Reads an object a second time if the first read returned other bytes than were stored. */
import { createHash } from "node:crypto";
import type { StoredObject } from "../../../src/protocol/job.ts";
import { type Destination, RunFailedError } from "../ports.ts";

/**
 * The error for an object that was read twice with different bytes. The transfer might be at fault, and not
 * the object.
 */
export class UnsteadyReadError extends RunFailedError {}

/**
 * Reads an object again after a read that returned wrong bytes. The outcomes of this second read:
 * - It returns the same wrong bytes: resolves. The object is damaged.
 * - It returns other bytes: rejects with an {@link UnsteadyReadError}.
 * - It fails: rejects with another error.
 *
 * @param first SHA-256 of the first read.
 * @param count Called with the number of bytes in each chunk read.
 */
export async function confirmDamage(
  { name, size, sha256 }: StoredObject,
  destination: Destination,
  first: string,
  count: (bytes: number) => void,
): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of destination.read(name, 0, size)) {
    hash.update(chunk);
    count(chunk.length);
  }
  const second = hash.digest("hex");
  if (second === first) return;
  const what = second === sha256 ? "a second read was correct" : "a second read differed again";
  throw new UnsteadyReadError(
    `Cannot read ${name} reliably from ${destination.description}: a read had the SHA-256 ${first}, and ${what}. ` +
      "The object may be intact. Check this server's memory and the network, and run it again.",
  );
}
