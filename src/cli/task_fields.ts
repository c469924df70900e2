/** A backup task as flags: each is a field of the API's, with dashes for underscores. */
import { type Command, Option } from "commander";
import { CommandError, EXIT } from "./command_error.ts";
import { collect, parseSource } from "./command_line.ts";
import { RETENTION_FLAGS } from "./retention.ts";
import { readFile, readSecret, readStandardInput, type SecretSource, SOURCE_HELP } from "./secret_source.ts";

const TEXT_FLAGS: readonly (readonly [flag: string, description: string, choices?: string[]])[] = [
  ["--label <text>", "what it is called"],
  ["--description <text>", "anything"],
  ["--remote-server-id <id>", "the server that owns the data"],
  ["--backup-destination-id <id>", "where backups go"],
  ["--type <type>", "default: by --source-path or --database-name", ["files", "database", "control_plane"]],
  ["--source-path <path>", "what is backed up"],
  ["--database-name <names>", "one, several with commas, or * for all"],
  ["--database-type <type>", "default: what the server runs", ["postgresql", "mysql"]],
  ["--database-host <host>", "default: the local socket"],
  ["--database-port <port>", "of the database server"],
  ["--database-username <name>", "who logs in to the database"],
  ["--database-format <format>", "of PostgreSQL dumps", ["custom", "plain"]],
  ["--excluded-database-tables <names>", "with commas"],
  ["--frequency <frequency>", "or --custom-cron-expression", ["daily", "weekly"]],
  ["--time-to-run-at <HH:MM>", "in the task's time zone"],
  ["--weekday <number>", "of a weekly task, Sunday 0"],
  ["--custom-cron-expression <cron>", 'such as "0 2 * * MON-FRI"'],
  ["--timezone <name>", "such as Europe/Berlin"],
  ...RETENTION_FLAGS,
  ["--store-path <path>", "below the destination's own"],
  ["--appended-file-name <text>", "what file names start with"],
  ["--isolated-username <name>", "the system user that reads the data"],
  ["--run-timeout <seconds>", "after which a run is ended"],
  ["--stall-warning <seconds>", "without any movement of a run, until it is told"],
  ["--stall-timeout <seconds>", "the same, until it is ended"],
  ["--lock-wait-timeout <seconds>", "that a dump waits for a lock"],
  ["--overdue-after <seconds>", "that a run may be queued, until it is told"],
];

/** A typing error in a password that data is encrypted with would be found when it is too late. */
const SECRETS = [
  { field: "encryption_password", what: "The encryption password", twice: true },
  { field: "database_password", what: "The database password", twice: false },
  { field: "isolated_password", what: "The isolated password", twice: false },
] as const;

export type TaskOptions = Record<string, unknown> & { fromFile?: string; field?: string[] };

export function addTaskFields(command: Command): Command {
  for (const [flag, description, choices] of TEXT_FLAGS) {
    const option = new Option(flag, description);
    command.addOption(choices === undefined ? option : option.choices(choices));
  }
  command
    .option("--excluded-paths <pattern>", "left out; may be given again", collect)
    .option("--allow-unreadable", "files that can't be read are warnings");
  for (const { field, what } of SECRETS) {
    command.addOption(
      new Option(`--${dashed(field)}-from <source>`, `${what.toLowerCase()}: ${SOURCE_HELP}`)
        .argParser(parseSource),
    );
  }
  return command
    .option("--field <name=value>", "any other field; may be given again", collect)
    .option("--from-file <path>", "a JSON object of fields, or - for standard input; flags win over it");
}

/** The body that makes the task. */
export async function taskBody(options: TaskOptions): Promise<Record<string, unknown>> {
  const { fromFile, field = [], ...flags } = options;
  requireOneInput(options);
  const body: Record<string, unknown> = {
    ...fromFile === undefined ? {} : await fieldsInFile(fromFile, "the backup task"),
    ...parseFields(field),
  };
  const known = new Set([...TEXT_FLAGS.map(([flag]) => nameOf(flag)), "excluded_paths", "allow_unreadable"]);
  for (const [option, value] of Object.entries(flags)) {
    if (known.has(underscored(option))) body[underscored(option)] = value;
  }
  for (const { field, what, twice } of SECRETS) {
    const source = sourceOf(options, field);
    if (source !== undefined) body[field] = await readSecret(source, what, twice);
  }
  if (body.type === undefined && body.source_path !== undefined) body.type = "files";
  if (body.type === undefined && body.database_name !== undefined) body.type = "database";
  return body;
}

/** Input fields that the control plane has ignored: its answer has every field that it knows, or tells that it is set. */
export function unknownFields(body: Record<string, unknown>, made: object): string[] {
  return Object.keys(body).filter((name) => !(name in made) && !(`has_${name}` in made));
}

/** Reads the pairs of `--field`. A secret is refused. */
export function parseFields(pairs: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [, name, value] = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined) {
      throw new CommandError(EXIT.usage, "Cannot use --field: it must be name=value, the name as in the API");
    }
    if (/password|secret|token|identity|private_key/.test(name)) {
      throw new CommandError(EXIT.usage, `Cannot take ${name} as an argument, which others can read`);
    }
    fields[name] = valueOf(value!);
  }
  return fields;
}

/** Text, unless it is a JSON list or object. */
function valueOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function requireOneInput(options: TaskOptions): void {
  const readers = SECRETS.filter(({ field }) => sourceOf(options, field)?.from === "stdin").length;
  if (readers + (options.fromFile === "-" ? 1 : 0) > 1) {
    throw new CommandError(EXIT.usage, "Cannot read more than one thing from standard input");
  }
}

/** @param what As in `Cannot read <what>: …`. */
export async function fieldsInFile(path: string, what: string): Promise<Record<string, unknown>> {
  const text = path === "-" ? await readStandardInput() : await readFile(path, what);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    throw new CommandError(EXIT.usage, `Cannot read ${what}: ${path} is not JSON`);
  }
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return { ...fields };
  throw new CommandError(EXIT.usage, `Cannot read ${what}: ${path} is not a JSON object`);
}

function sourceOf(options: TaskOptions, field: string): SecretSource | undefined {
  const name = `${field}_from`.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return options[name] as SecretSource | undefined;
}

function nameOf(flag: string): string {
  return flag.slice(2, flag.indexOf(" ")).replaceAll("-", "_");
}

function dashed(field: string): string {
  return field.replaceAll("_", "-");
}

function underscored(option: string): string {
  return option.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
