/**
 * Derives keys with scrypt, as age's passphrase format requires. A derivation needs 256 MiB of memory for a
 * second. The derivation runs in a short-lived process, so that the agent's own memory stays small.
 */
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";

/** The base-2 logarithm of scrypt's cost. The `age` program uses the same cost. */
export const WORK_FACTOR = 18;
/**
 * The highest work factor that is accepted. With this factor, the derivation of a key needs 1 GiB of memory.
 * The limit is needed because the factor is in an object's header. Anyone who can write to the destination
 * could change the header so that the derivation needs too much memory.
 */
export const MAX_WORK_FACTOR = 20;

/** Returns the scrypt salt that age uses for a passphrase: a label and the 16 bytes from the header. */
export function passphraseSalt(salt: Uint8Array): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode("age-encryption.org/v1/scrypt"), ...salt]);
}

// The script reads its parameters from stdin, because other users can read a program's arguments.
const SCRIPT = `
import { scryptSync } from "node:crypto";
const { passphrase, salt, logN } = JSON.parse(await new Response(Deno.stdin.readable).text());
const options = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** (logN + 11) };
console.log(scryptSync(Buffer.from(passphrase), Buffer.from(salt, "hex"), 32, options).toString("hex"));
`;

/** Returns a 32-byte key that scrypt derives with N = 2^`workFactor`, r = 8, p = 1. */
export async function deriveKey(
  children: Children,
  passphrase: string,
  salt: Uint8Array,
  workFactor: number,
): Promise<Uint8Array> {
  const input = JSON.stringify({ passphrase, salt: salt.toHex(), logN: workFactor });
  const { exit, stdout, messages } = await capture(children, {
    program: Deno.execPath(),
    args: ["eval", "--no-config", "--no-lock", "--ext=mjs", SCRIPT],
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }, new TextEncoder().encode(input));
  if (exit.code !== 0 || !/^[0-9a-f]{64}\n$/.test(stdout)) {
    const detail = exit.signal ?? oneLine(messages.at(-1) ?? "no reason given");
    const memory = Math.round(2 ** workFactor / 1024 * 1.2);
    throw new Error(
      `Cannot derive the encryption key (it takes ${memory} MB of memory for a moment): ${detail}`,
    );
  }
  return Uint8Array.fromHex(stdout.trim());
}
