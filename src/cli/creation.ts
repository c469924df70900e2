/**
 * The `create` commands of destinations, servers and notification streams, and the `update` command of
 * streams. Their fields have the names that the API uses.
 */
import type { Argument, Command } from "commander";
import type { Body } from "../client/client.ts";
import type { FieldTable } from "../definitions/fields/field.ts";
import { calling, type Cli, collect } from "./command_line.ts";
import { CommandError, EXIT } from "./command_error.ts";
import type { DESTINATION, SERVER, STREAM } from "./deletion.ts";
import { addFieldFlags, readSecrets } from "./field_flags.ts";
import { parseSecretSource, readSecret, SOURCE_HELP } from "./secret_source.ts";
import { fieldsInFile, parseFields } from "./task_fields.ts";

type Creatable = typeof DESTINATION | typeof SERVER | typeof STREAM;
type Updatable = typeof STREAM;

export interface BodyOptions extends Record<string, unknown> {
  field?: string[];
  secret?: string[];
  fromFile?: string;
}

/**
 * Adds a command that creates a record.
 *
 * @param flags Options, each with its description. An option sets the field of the same name:
 *   `--ip-address <address>` sets `ip_address`.
 * @param fields Fields that `flags` does not contain. Their options are derived from their definitions.
 */
export function addCreate(
  parent: Command,
  record: Creatable,
  flags: readonly (readonly [flag: string, description: string])[],
  fields: FieldTable = {},
): void {
  addBodyFlags(parent.command("create"), flags, fields).description("Create one")
    .action(calling((cli: Cli, options: BodyOptions) => create(cli, record, fields, options)));
}

/**
 * Adds a command that changes the given fields of a record. It has the same options as {@link addCreate}'s.
 */
export function addUpdate(
  parent: Command,
  argument: Argument,
  record: Updatable,
  flags: readonly (readonly [flag: string, description: string])[],
  fields: FieldTable = {},
): void {
  addBodyFlags(parent.command("update"), flags, fields).addArgument(argument)
    .description("Change the given fields of one")
    .action(
      calling((cli: Cli, id: number, options: BodyOptions) => update(cli, record, fields, id, options)),
    );
}

/** Adds options for the fields of a record. {@link bodyOf} reads them. */
export function addBodyFlags(
  command: Command,
  flags: readonly (readonly [flag: string, description: string])[],
  fields: FieldTable,
): Command {
  for (const [flag, description] of flags) command.option(flag, description);
  return addFieldFlags(command, fields)
    .option("--field <name=value>", "any other field of the API; may be repeated", collect)
    .option("--secret <name=source>", `a secret field, from ${SOURCE_HELP}; may be repeated`, collect)
    .option("--from-file <path>", "a JSON object of fields, or - for standard input; flags take precedence");
}

async function create(
  { api, output, terminal }: Cli,
  record: Creatable,
  fields: FieldTable,
  options: BodyOptions,
) {
  // The fields are not checked here, because the API refuses a body with wrong or missing fields.
  const body = await bodyOf(record, fields, options) as Body<Creatable["path"]>;
  const made = await api.post(`create the ${record.noun}`, record.path, { body });
  output.answer(
    made,
    () => terminal.print(`${nounOf(record)} ${made.data.id} created: ${made.data.label}\n`),
  );
}

async function update(
  { api, output, terminal }: Cli,
  record: Updatable,
  fields: FieldTable,
  id: number,
  options: BodyOptions,
) {
  const changed = await api.put(`update ${record.noun} ${id}`, `${record.path}/{id}`, {
    id,
    body: await bodyOf(record, fields, options),
  });
  output.answer(changed, () => terminal.print(`${nounOf(record)} ${id} updated: ${changed.data.label}\n`));
}

function nounOf({ noun }: Creatable): string {
  return noun.charAt(0).toUpperCase() + noun.slice(1);
}

/** Returns the fields that were given as options of {@link addBodyFlags}. */
export async function bodyOf(
  record: Creatable,
  fields: FieldTable,
  options: BodyOptions,
): Promise<Record<string, unknown>> {
  const { field = [], secret = [], fromFile, ...flags } = options;
  return {
    ...fromFile === undefined ? {} : await fieldsInFile(fromFile, `the ${record.noun}`),
    ...parseFields(field),
    ...Object.fromEntries(
      Object.entries(flags).map(([option, value]) => [option.replace(/[A-Z]/g, "_$&").toLowerCase(), value])
        .filter(([name]) => !isSecretFlag(fields, name as string)),
    ),
    ...await readSecrets(fields, options),
    ...await readNamedSecrets(secret),
  };
}

/** Returns whether a flag names the source of a secret field, as `s3_secret_key_from` does. */
function isSecretFlag(fields: FieldTable, flag: string): boolean {
  return flag.endsWith("_from") && fields[flag.slice(0, -"_from".length)]?.isSecret === true;
}

async function readNamedSecrets(pairs: readonly string[]): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const pair of pairs) {
    const [, name, from] = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(pair) ?? [];
    const source = from === undefined ? null : parseSecretSource(from);
    // This message does not repeat the argument: an invalid argument might be the secret itself.
    if (name === undefined || source === null) {
      throw new CommandError(EXIT.usage, `Cannot use --secret: it must be name=source, with ${SOURCE_HELP}`);
    }
    secrets[name] = await readSecret(source, `The field ${name}`);
  }
  return secrets;
}
