/**
 * The `create` commands of destinations, servers and notification streams. Their fields have the names that
 * the API uses.
 */
import type { Command } from "commander";
import type { FieldTable } from "../definitions/fields/field.ts";
import { calling, type Cli, collect } from "./command_line.ts";
import { CommandError, EXIT } from "./command_error.ts";
import type { Deletable } from "./deletion.ts";
import { addFieldFlags, readSecrets } from "./field_flags.ts";
import { parseSecretSource, readSecret, SOURCE_HELP } from "./secret_source.ts";
import { fieldsInFile, parseFields } from "./task_fields.ts";

interface CreateOptions extends Record<string, unknown> {
  field?: string[];
  secret?: string[];
  fromFile?: string;
}

/**
 * Adds a command that creates a record.
 *
 * @param flags Pairs of an option and its description. `--ip-address <address>` sets the field `ip_address`.
 * @param fields Fields whose flags follow from their definitions.
 */
export function addCreate(
  parent: Command,
  record: Deletable,
  flags: readonly (readonly [flag: string, description: string])[],
  fields: FieldTable = {},
): void {
  const command = parent.command("create").description("Create one");
  for (const [flag, description] of flags) command.option(flag, description);
  addFieldFlags(command, fields)
    .option("--field <name=value>", "any other field of the API; may be repeated", collect)
    .option("--secret <name=source>", `a secret field, from ${SOURCE_HELP}; may be repeated`, collect)
    .option("--from-file <path>", "a JSON object of fields, or - for standard input; flags take precedence")
    .action(calling((cli: Cli, options: CreateOptions) => create(cli, record, fields, options)));
}

async function create(
  { api, output, terminal }: Cli,
  record: Deletable,
  fields: FieldTable,
  options: CreateOptions,
) {
  const { field = [], secret = [], fromFile, ...flags } = options;
  const body = {
    ...fromFile === undefined ? {} : await fieldsInFile(fromFile, `the ${record.noun}`),
    ...parseFields(field),
    ...Object.fromEntries(
      Object.entries(flags).map(([option, value]) => [option.replace(/[A-Z]/g, "_$&").toLowerCase(), value])
        .filter(([name]) => !isSecretFlag(fields, name as string)),
    ),
    ...await readSecrets(fields, options),
    ...await readNamedSecrets(secret),
  };
  const made = await api.post<{ data: { id: number; label: string } }>(
    `create the ${record.noun}`,
    record.path,
    body,
  );
  const noun = record.noun.charAt(0).toUpperCase() + record.noun.slice(1);
  output.answer(made, () => terminal.print(`${noun} ${made.data.id} created: ${made.data.label}\n`));
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
    // This message does not repeat the argument: an invalid argument may be the secret itself.
    if (name === undefined || source === null) {
      throw new CommandError(EXIT.usage, `Cannot use --secret: it must be name=source, with ${SOURCE_HELP}`);
    }
    secrets[name] = await readSecret(source, `The field ${name}`);
  }
  return secrets;
}
