/** Reads the fields of a backup task from flags and from a file. */
import type { Command } from "commander";
import { DEFINITIONS } from "../definitions/sources/registry.ts";
import { TASK_FIELDS } from "../definitions/task_fields.ts";
import { CommandError, EXIT } from "./command_error.ts";
import { collect } from "./command_line.ts";
import { addFieldFlags, givenFields, givenSecrets, readSecrets } from "./field_flags.ts";
import { readFile, readStandardInput } from "./secret_source.ts";

export type TaskOptions = Record<string, unknown> & { fromFile?: string; field?: string[] };

export function addTaskFields(command: Command): Command {
  return addFieldFlags(command, TASK_FIELDS)
    .option("--field <name=value>", "any other field; may be repeated", collect)
    .option("--from-file <path>", "a JSON object of fields, or - for standard input; flags take precedence");
}

/** Returns the body of the request that creates the task. */
export async function taskBody(options: TaskOptions): Promise<Record<string, unknown>> {
  const { fromFile, field = [] } = options;
  requireOneInput(options);
  const body: Record<string, unknown> = {
    ...fromFile === undefined ? {} : await fieldsInFile(fromFile, "the backup task"),
    ...parseFields(field),
    ...givenFields(TASK_FIELDS, options),
    ...await readSecrets(TASK_FIELDS, options),
  };
  body.type ??= typeWithField((field) => body[field] !== undefined);
  return body;
}

/** Returns the task type whose required field is given; undefined if no such field is given. */
function typeWithField(isGiven: (field: string) => boolean): string | undefined {
  return DEFINITIONS.values().find(({ requiredField }) =>
    requiredField !== undefined && isGiven(requiredField)
  )
    ?.taskType;
}

/**
 * Returns the names of the fields in `body` that the control plane has ignored.
 *
 * @param made The created record, from the response. It contains every field that the control plane supports.
 *   Instead of a secret, it contains the field `has_<name>`.
 */
export function unknownFields(body: Record<string, unknown>, made: object): string[] {
  return Object.keys(body).filter((name) => !(name in made) && !(`has_${name}` in made));
}

/**
 * Parses the pairs of `--field`, and returns the fields. Throws for a secret, which must not be an argument.
 */
export function parseFields(pairs: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const pair of pairs) {
    const [, name, value] = /^([a-z][a-z0-9_]*)=(.*)$/s.exec(pair) ?? [];
    if (name === undefined) {
      throw new CommandError(
        EXIT.usage,
        "Cannot use --field: it must be name=value, with the name of a field of the API",
      );
    }
    if (/password|secret|token|identity|private_key/.test(name)) {
      throw new CommandError(
        EXIT.usage,
        `Cannot take ${name} as an argument, because other users can read arguments`,
      );
    }
    fields[name] = valueOf(value!);
  }
  return fields;
}

/** Parses a JSON list or object; returns any other value as text. */
function valueOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function requireOneInput(options: TaskOptions): void {
  const readers = givenSecrets(TASK_FIELDS, options).filter(([, { from }]) => from === "stdin").length;
  if (readers + (options.fromFile === "-" ? 1 : 0) > 1) {
    throw new CommandError(EXIT.usage, "Cannot read more than one input from standard input");
  }
}

/**
 * Reads fields from a JSON file; `-` is standard input.
 *
 * @param what The file's description in `Cannot read <what>: …`.
 */
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
