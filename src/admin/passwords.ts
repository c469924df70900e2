/**
 * Passwords and secret keys (identities) for encrypted archives, from the environment or a prompt on the
 * terminal.
 */
import askPassword from "@inquirer/password";
import { Decrypter } from "age-encryption";
import process from "node:process";
import { RecoveryError } from "./recovery_error.ts";

/**
 * Maximum size of an age header, in bytes. A header has a few lines, and 100 bytes to 2 KB for each
 * recipient.
 */
const MAX_HEADER_BYTES = 256 * 1024;

export class Passwords {
  /**
   * The passwords to try, in this order. The password that opened a file most recently comes first, because
   * each try takes a second.
   */
  #known: string[];

  /**
   * @param environment Contains `ENCRYPTION_PASSWORDS`, and secret keys in `AGE_IDENTITY`. Both have one
   *   entry per line.
   */
  constructor(private readonly environment: Record<string, string>) {
    this.#known = lines(environment.ENCRYPTION_PASSWORDS);
  }

  add(passwords: readonly string[]): void {
    this.#known = [...new Set([...this.#known, ...passwords])];
  }

  /**
   * Returns the password that opens the file. Tries the known passwords first. If none of them opens the
   * file, prompts on the terminal. Returns null if the answer is empty, or if there is no terminal.
   */
  async find(name: string, open: () => Promise<ReadableStream<Uint8Array>>): Promise<string | null> {
    const header = await readHeader(name, await open());
    for (;;) {
      for (const password of this.#known) {
        if (!await opens(header, password)) continue;
        this.#known = [password, ...this.#known.filter((each) => each !== password)];
        return password;
      }
      if (!Deno.stdin.isTerminal()) return null;
      const message = `The encryption password of ${name} (empty: skip it):`;
      const entered = await askPassword({ message, toggleMask: false }, { output: process.stderr });
      if (entered === "") return null;
      this.#known.unshift(entered);
    }
  }

  /**
   * Decrypts with the password. If the password is null, decrypts with the age identities from the
   * environment.
   */
  async decrypt(
    sealed: ReadableStream<Uint8Array>,
    password: string | null,
  ): Promise<ReadableStream<Uint8Array>> {
    const decrypter = new Decrypter();
    if (password !== null) decrypter.addPassphrase(password);
    else {
      const identities = lines(this.environment.AGE_IDENTITY).filter((line) => !line.startsWith("#"));
      if (identities.length === 0) {
        throw new RecoveryError("Cannot decrypt: put the secret key of a recipient into AGE_IDENTITY");
      }
      for (const identity of identities) decrypter.addIdentity(identity);
    }
    return await decrypter.decrypt(sealed);
  }
}

function lines(text: string | undefined): string[] {
  return (text ?? "").split("\n").map((line) => line.replace(/\r$/, "")).filter((line) => line !== "");
}

async function opens(header: Uint8Array, password: string): Promise<boolean> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(password);
  try {
    await decrypter.decryptHeader(header);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads an age header, up to the end of the line that starts with `---` (age's specification, C2SP.org/age).
 */
async function readHeader(name: string, stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  let text = "";
  for await (const chunk of stream) {
    text += Array.from(chunk, (byte) => String.fromCharCode(byte)).join("").slice(0, MAX_HEADER_BYTES);
    const end = /\n--- [^\n]*\n/.exec(text);
    if (end !== null) {
      return Uint8Array.from(text.slice(0, end.index + end[0].length), (c) => c.charCodeAt(0));
    }
    if (text.length >= MAX_HEADER_BYTES) break;
  }
  throw new RecoveryError(`Cannot read ${name}: it is not an age file`);
}
