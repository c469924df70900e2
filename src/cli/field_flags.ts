/**
 * Flags for the fields of a resource, derived from the fields' definitions. A flag's name has dashes for
 * underscores.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Field, FieldTable } from "../definitions/fields/field.ts";
import { formatOf, placeholderOf } from "../definitions/fields/format.ts";
import { fieldWords } from "../definitions/formats/says.ts";
import { collect, parseSource } from "./command_line.ts";
import { readSecret, type SecretSource, SOURCE_HELP } from "./secret_source.ts";

/** Parsed options, by the names that commander gives them, such as `ipAddress` for `--ip-address`. */
export type Options = Record<string, unknown>;

/**
 * Adds a flag for each field. The flag of a secret field is `--<name>-from`. The flag's value says where to
 * read the secret, such as `env:NAME`. The secret itself is never an argument, because every process can read
 * arguments.
 */
export function addFieldFlags(command: Command, fields: FieldTable): Command {
  for (const [name, field] of Object.entries(fields)) command.addOption(flagOf(name, field));
  return command;
}

/** Returns the fields that were given as flags, by name, without secrets. */
export function givenFields(fields: FieldTable, options: Options): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, { isSecret }]) =>
      !isSecret && options[optionOf(name)] !== undefined
    )
      .map(([name]) => [name, options[optionOf(name)]]),
  );
}

/** Returns the name of each given secret, and the source to read it from. */
export function givenSecrets(fields: FieldTable, options: Options): [name: string, source: SecretSource][] {
  return Object.entries(fields).flatMap(([name, { isSecret }]) => {
    const source = options[optionOf(`${name}_from`)] as SecretSource | undefined;
    return isSecret && source !== undefined ? [[name, source]] : [];
  });
}

export async function readSecrets(fields: FieldTable, options: Options): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const [name, source] of givenSecrets(fields, options)) {
    secrets[name] = await readSecret(source, `The ${fieldWords([name])}`, fields[name]!.isTypedTwice);
  }
  return secrets;
}

function flagOf(name: string, field: Field): Option {
  const flag = `--${name.replaceAll("_", "-")}`;
  const { help } = field;
  if (field.isSecret) {
    return new Option(`${flag}-from <source>`, `${help}: ${SOURCE_HELP}`).argParser(parseSource);
  }
  const format = formatOf(field.schema);
  const value = placeholderOf(name, field);
  switch (format.type) {
    case "boolean":
      return new Option(`${flag} [${value}]`, help).choices(["true", "false"]);
    case "choice":
      return new Option(`${flag} <${value}>`, help).choices(format.choices);
    case "list":
      return new Option(`${flag} <${value}>`, `${help}; may be repeated`).argParser(collect);
    case "map":
      return new Option(`${flag} <${value}>`, `${help}; may be repeated`).argParser(collectEntry);
    default:
      return new Option(`${flag} <${value}>`, help);
  }
}

/** Adds `pair` to the pairs in `before`. The control plane checks names and values. */
function collectEntry(pair: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (name === undefined) throw new InvalidArgumentError("It must be name=value.");
  return { ...before, [name]: value! };
}

function optionOf(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
