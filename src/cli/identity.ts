/** Reads an age identity: the secret key that decrypts what is encrypted for its recipient. */
import { Option } from "commander";
import { parseSource } from "./command_line.ts";
import { CommandError, EXIT } from "./command_error.ts";
import { readSecret, type SecretSource, SOURCE_HELP } from "./secret_source.ts";

export interface WithIdentity {
  identityFrom?: SecretSource;
}

export function identityOption(): Option {
  return new Option("--identity-from <source>", `age identity of a recipient: ${SOURCE_HELP}`)
    .argParser(parseSource);
}

/**
 * Reads the output of `age-keygen`, and returns its line with the key: `AGE-SECRET-KEY-…`. Returns undefined
 * if there is no source.
 */
export async function readIdentity(source: SecretSource | undefined): Promise<string | undefined> {
  if (source === undefined) return undefined;
  const text = await readSecret(source, "The identity");
  const keys = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => /^AGE-SECRET-KEY-/.test(line));
  if (keys.length === 1) return keys[0];
  const found = keys.length === 0 ? "there is no AGE-SECRET-KEY in it" : "it holds more than one key";
  throw new CommandError(EXIT.usage, `Cannot read the identity: ${found}`);
}
