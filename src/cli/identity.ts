/** An age identity, the secret half of a recipient's key. */
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

/** Returns the line of `age-keygen`'s file that is the key: `AGE-SECRET-KEY-…`. */
export async function readIdentity(source: SecretSource | undefined): Promise<string | undefined> {
  if (source === undefined) return undefined;
  const text = await readSecret(source, "The identity");
  const keys = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => /^AGE-SECRET-KEY-/.test(line));
  if (keys.length === 1) return keys[0];
  const found = keys.length === 0 ? "there is no AGE-SECRET-KEY in it" : "it holds more than one key";
  throw new CommandError(EXIT.usage, `Cannot read the identity: ${found}`);
}
