/** `deno task docs`: writes the parts of the documentation that are derived from definitions. */
import { fileURLToPath } from "node:url";
import { definitionOf, DESTINATION_TYPES } from "../src/definitions/destinations/registry.ts";
import { ALL_FIELDS, sentNames } from "../src/definitions/destinations/settings.ts";
import type { Field, FieldTable } from "../src/definitions/fields/field.ts";
import { formatOf, placeholderOf } from "../src/definitions/fields/format.ts";
import { helpSentence } from "../src/definitions/fields/input.ts";
import { NOTIFICATION_STREAM_FIELDS } from "../src/definitions/notification_stream_fields.ts";
import { EVENT_CLASS_NAMES, EVENT_CLASSES } from "../src/domain/notifications/event_classes.ts";
import { ABILITIES } from "../src/domain/abilities.ts";
import { abilitiesOf, type Role, roleOf, ROLES } from "../src/domain/access/roles.ts";
import { GUARD_NAMES, guardOf } from "../src/domain/guards/registry.ts";
import { SCRIPT_FIELDS } from "../src/definitions/script_fields.ts";
import { TASK_FIELDS } from "../src/definitions/task_fields.ts";

const START = "<!-- fields: written by `deno task docs` -->\n\n";
const END = "\n<!-- end of fields -->\n";

/** By a document's path: the functions that return the document's derived parts, in order. */
const DERIVED: Readonly<Record<string, readonly (() => string)[]>> = {
  "docs/guide/anomalies.md": [guardTable],
  "docs/guide/destinations.md": [destinationTable],
  "docs/guide/notifications.md": [eventClassTable, () => fieldTable(NOTIFICATION_STREAM_FIELDS)],
  "docs/guide/scripts.md": [() => fieldTable(SCRIPT_FIELDS)],
  "docs/guide/tasks.md": [() => fieldTable(TASK_FIELDS)],
  "docs/guide/workspaces.md": [roleTable, abilityTable],
};

/** Returns each document's path, its current text, and the text that it should have. */
export async function derivedDocuments(): Promise<{ path: string; text: string; derived: string }[]> {
  return await Promise.all(
    Object.entries(DERIVED).map(async ([name, parts]) => {
      const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
      const text = await Deno.readTextFile(path);
      const [before, ...rest] = text.split(START);
      const after = rest.map((part) => part.split(END)[1]);
      if (after.length !== parts.length || after.includes(undefined)) {
        throw new Error(`Cannot find the derived parts of ${name}`);
      }
      const derived = parts.map((part, index) => `${START}${part()}${END}${after[index]}`);
      return { path, text, derived: before + derived.join("") };
    }),
  );
}

function fieldTable(fields: FieldTable): string {
  const rows = Object.entries(fields).map(([name, field]) => [
    `\`${name}\``,
    valueOf(name, field),
    defaultOf(field),
    helpSentence(field),
  ]);
  return markdownTable([["field", "value", "default", "meaning"], ...rows]);
}

/**
 * Returns the table of all destination fields, with the types that have each field. A type in bold requires
 * the field.
 */
function destinationTable(): string {
  const rows = [...ALL_FIELDS].map(([name, field]) => {
    const types = DESTINATION_TYPES.flatMap((type) => {
      const own = definitionOf(type).fields[name];
      return own === undefined ? [] : [own.isRequired ? `**\`${type}\`**` : `\`${type}\``];
    });
    const isSecret = field.isSecret || field.isTransient;
    return [
      `\`${sentNames(name, field)[0]}\``,
      types.join(", "),
      isSecret ? "yes" : "no",
      helpSentence(field),
    ];
  });
  return markdownTable([["field", "types", "secret", "meaning"], ...rows]);
}

function eventClassTable(): string {
  const rows = EVENT_CLASS_NAMES.map((name) => {
    const { events, group, help, isDefault } = EVENT_CLASSES[name];
    return [
      `\`${name}\``,
      group === "either" ? "either" : `\`${group}\``,
      isDefault ? "on" : "off",
      `${help.charAt(0).toUpperCase()}${help.slice(1)}`,
      events.map((event) => `\`${event}\``).join(", "),
    ];
  });
  return markdownTable([["class", "group", "default", "when", "events"], ...rows]);
}

function roleTable(): string {
  const rows = ROLES.map((role) => [`\`${role}\``, roleOf(role).summary]);
  return markdownTable([["role", "may"], ...rows]);
}

/** Returns the table of all abilities, with the roles that have each of them. */
function abilityTable(): string {
  const rows = ABILITIES.map((ability) => {
    const has = (role: Role) => abilitiesOf(role, false).has(ability) ? "yes" : "";
    return [`\`${ability}\``, ...ROLES.map(has), ability === "admin" ? "only administrators" : ""];
  });
  return markdownTable([["ability", ...ROLES, ""], ...rows]);
}

/** Returns the table of all guards. The table says what each guard detects. */
function guardTable(): string {
  const rows = GUARD_NAMES.map((name) => {
    const { summary, severity, defaultAction } = guardOf(name)!;
    return [`\`${name}\``, summary, severity, `\`${defaultAction}\``];
  });
  return markdownTable([["guard", "finding", "severity", "default"], ...rows]);
}

/** Returns a Markdown table whose cells are padded as `deno fmt` does. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`;
  const [head, ...body] = rows.map(line);
  return head + line(widths.map((width) => "-".repeat(width))) + body.join("");
}

function valueOf(name: string, field: Field): string {
  const format = formatOf(field.schema);
  switch (format.type) {
    case "boolean":
      return "`true`, `false`";
    case "choice":
      return format.choices.map((choice) => `\`${choice}\``).join(", ");
    case "list":
      return `list of ${placeholderOf(name, field)}s`;
    case "map":
      return `object of ${placeholderOf(name, field).split("=")[1]}s`;
    default:
      return placeholderOf(name, field);
  }
}

function defaultOf(field: Field): string {
  if (field.isRequired) return "required";
  if (field.defaultFrom !== undefined) return field.defaultFrom;
  if (formatOf(field.schema).type === "map") return "by name";
  const isEmpty = field.default === undefined || Array.isArray(field.default) && field.default.length === 0;
  return isEmpty ? "none" : `\`${field.default}\``;
}

if (import.meta.main) {
  for (const { path, derived } of await derivedDocuments()) await Deno.writeTextFile(path, derived);
}
