/**
 * Lets `recover` read a destination that has a login, such as an SFTP server. Uses the agent's code for this.
 */
import askPassword from "@inquirer/password";
import process from "node:process";
import { runLimits } from "../../agent/engine/destinations/limits.ts";
import { destinationType } from "../../agent/engine/destinations/registry.ts";
import { RunFailedError } from "../../agent/engine/ports.ts";
import type {
  DestinationDefinition,
  DestinationField,
  Settings,
} from "../definitions/destinations/definition.ts";
import { destinationDirectory } from "../definitions/destinations/location.ts";
import {
  definitionOf,
  DESTINATION_TYPES,
  type DestinationType,
} from "../definitions/destinations/registry.ts";
import { storedSettings } from "../definitions/destinations/settings.ts";
import type { Clock } from "../domain/clock.ts";
import type { JobDestination } from "../protocol/job.ts";
import { PrivateKeyError, usablePrivateKey } from "../secrets/private_key.ts";
import type { BackupRepository } from "./backup_repository.ts";
import { RecoveryError } from "./recovery_error.ts";

type Environment = Readonly<Record<string, string>>;

/** The types of destinations that `recover` can read, by the scheme of their addresses. */
export const AGENT_SCHEMES: ReadonlyMap<string, DestinationType> = new Map(
  DESTINATION_TYPES.flatMap((type) =>
    (definitionOf(type).kit.reading?.schemes ?? []).map((scheme) => [scheme, type] as const)
  ),
);

/**
 * Opens a destination as a repository.
 *
 * @param text The address: a URL with a user name. Its scheme is one of the destination type.
 * @param environment The environment variables. They include the secrets, and the settings that the address
 *   lacks. {@link variableOf} returns the name of the variable for a field. If no secret is set, the terminal
 *   prompts for a password.
 */
export async function openAgentRepository(
  type: DestinationType,
  text: string,
  environment: Environment,
  clock: Clock,
): Promise<BackupRepository> {
  const definition = definitionOf(type);
  const address = addressIn(text, definition);
  const settings = storedSettings(type, settingsIn(address, environment, definition));
  const secrets = await secretsIn(environment, definition, address);
  const directory = (path: string) => destinationDirectory({ type, settings }, path);
  const spec = definition.job(settings, secrets, directory("")) as JobDestination;
  const { signal } = new AbortController();
  const ports = { clock, signal, output: null, uploads: null, downloads: null, relay: null };
  const limits = { idleMs: runLimits().idleMs, patienceMs: 0 };
  const inWords = <T>(work: () => Promise<T>) => translated(work, definition);
  const files = await inWords(() => destinationType(spec).openFiles!(spec, { ...ports, limits }));
  return {
    description: files.description,
    destination: { label: "Recovered", type, values: { ...settings, ...secrets } },
    async *paths(skip) {
      const paths = files.paths(skip)[Symbol.asyncIterator]();
      for (;;) {
        const { done, value } = await inWords(() => paths.next());
        if (done) return;
        yield value;
      }
    },
    read: (path) => inWords(() => files.read(path)),
    directory,
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}

/**
 * Parses the address. Refuses an address with a password, because the process list and the shell's history
 * would show it. The error does not repeat the password.
 */
function addressIn(text: string, definition: DestinationDefinition): URL {
  const { schemes: [scheme], form } = definition.kit.reading!;
  const url = URL.parse(text);
  if (url === null || url.hostname === "" || url.username === "" || url.search !== "" || url.hash !== "") {
    throw new RecoveryError(`Cannot recover from ${scheme}://…: write ${form}, with %23 for # and %3F for ?`);
  }
  if (url.password !== "") {
    throw new RecoveryError(
      `Cannot recover from ${scheme}://…: it contains a password, which other users can see. Put the password into ` +
        `${passwordField(definition).toUpperCase()}.`,
    );
  }
  return url;
}

/**
 * Returns the environment variable that holds the value of a field. For a private key, the variable holds the
 * path of the key's file.
 */
function variableOf(name: string, { passphraseField }: DestinationField): string {
  return passphraseField === undefined ? name.toUpperCase() : `${name.toUpperCase()}_FILE`;
}

/** Returns the destination's settings. Some of them are in the address. The environment contains the rest. */
function settingsIn(
  address: URL,
  environment: Environment,
  { fields, kit: { reading } }: DestinationDefinition,
): Settings {
  const { words, settings } = reading!;
  const others = Object.entries(fields).filter(([name, { isSecret, isTransient }]) =>
    !(name in words) && !isSecret && !isTransient
  );
  const held = others.map(([name, field]) => [name, environment[variableOf(name, field)] || undefined]);
  return { ...Object.fromEntries(held), ...settings(address) };
}

/** Returns the name of the field with the password. */
function passwordField({ fields }: DestinationDefinition): string {
  return Object.keys(fields).find((name) =>
    fields[name]!.isSecret && fields[name]!.passphraseField === undefined
  )!;
}

async function secretsIn(
  environment: Environment,
  definition: DestinationDefinition,
  { hostname, username }: URL,
): Promise<Record<string, string>> {
  const { fields } = definition;
  const secretFields = Object.entries(fields).filter(([, { isSecret }]) => isSecret);
  const secrets: Record<string, string> = {};
  for (const [name, field] of secretFields) {
    const value = environment[variableOf(name, field)];
    if (!value) continue;
    const { passphraseField } = field;
    secrets[name] = passphraseField === undefined
      ? value
      : await readKey(value, passphraseField, environment);
  }
  if (Object.keys(secrets).length > 0) return secrets;
  if (!Deno.stdin.isTerminal()) {
    // Name the key before the password in the error, because logging in with a key is safer.
    const variables = secretFields.toSorted(([, { passphraseField }]) =>
      passphraseField === undefined ? 1 : -1
    )
      .map(([name, field]) => variableOf(name, field));
    throw new RecoveryError(`Cannot log in to ${hostname}: set ${variables.join(" or ")} in the environment`);
  }
  const message = `The password of ${decodeURIComponent(username)} at ${hostname}:`;
  const password = await askPassword({ message, toggleMask: false }, { output: process.stderr });
  return { [passwordField(definition)]: password };
}

async function readKey(path: string, passphraseField: string, environment: Environment): Promise<string> {
  const variable = passphraseField.toUpperCase();
  try {
    return await usablePrivateKey(await Deno.readTextFile(path), environment[variable] || null);
  } catch (cause) {
    if (cause instanceof PrivateKeyError) {
      const reason = cause.message.replace(passphraseField, variable);
      const what = cause.isPassphrase ? variable : "it";
      throw new RecoveryError(`Cannot use the private key in ${path}: ${what} ${reason}`, { cause });
    }
    throw new RecoveryError(`Cannot read the private key in ${path}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Calls `work`. If `work` fails, rewrites the error's message for the command line: replaces each API field
 * name of the destination by the field's words in `kit.reading.words`. If a field has no words there, its
 * name is replaced by the name of its environment variable.
 */
async function translated<T>(work: () => Promise<T>, { fields, kit }: DestinationDefinition): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RunFailedError)) throw error;
    const text = error.message.replaceAll(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b/g, (name) => {
      const field = fields[name];
      return field === undefined ? name : kit.reading!.words[name] ?? variableOf(name, field);
    });
    throw new RecoveryError(text, { cause: error });
  }
}
