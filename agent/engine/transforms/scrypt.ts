/**
 * scrypt as age's passphrase format asks for it. The derivation needs 256 MiB for a second: a short-lived
 * process holds them, so that the agent stays as small as it is.
 */
import { capture } from "../programs/capture.ts";
import type { Children } from "../programs/children.ts";
import { oneLine } from "../programs/line.ts";

/** The base-2 logarithm of scrypt's cost, as the `age` program chooses it. */
export const WORK_FACTOR = 18;
/**
 * What is derived at most: 1 GiB of memory. A header can be changed by whoever can write to the destination.
 */
export const MAX_WORK_FACTOR = 20;

/** What age derives a passphrase's key from, given the 16 bytes of the header. */
export function passphraseSalt(salt: Uint8Array): Uint8Array {
  return new Uint8Array([...new TextEncoder().encode("age-encryption.org/v1/scrypt"), ...salt]);
}

// The parameters come by stdin: argv and environment can be read by others.
const SCRIPT = `
import { scryptSync } from "node:crypto";
const { passphrase, salt, logN } = JSON.parse(await new Response(Deno.stdin.readable).text());
const options = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** (logN + 11) };
console.log(scryptSync(Buffer.from(passphrase), Buffer.from(salt, "hex"), 32, options).toString("hex"));
`;

/** A 32-byte key: N = 2^`workFactor`, r = 8, p = 1. */
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
