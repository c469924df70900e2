/** Defines the input of a backup destination: the fields of all types, derived from their definitions. */
import { z } from "@hono/zod-openapi";
import type { DestinationField, SettingValue } from "../../../definitions/destinations/definition.ts";
import { DESTINATION_TYPES, type DestinationType } from "../../../definitions/destinations/registry.ts";
import {
  ALL_FIELDS,
  fieldValues,
  missingFields,
  sentNames,
} from "../../../definitions/destinations/settings.ts";
import { sentences } from "../../../definitions/fields/input.ts";
import { id, line } from "../../../definitions/formats/text.ts";
import type { BackupDestinationInput } from "../../../services/destinations/backup_destinations.ts";
import { rule } from "../../input/input.ts";
import { nullAsAbsent } from "../../../definitions/formats/null_as_absent.ts";

type Input = z.ZodType<SettingValue | null | undefined>;

function inputOf(field: DestinationField, name: string, preferred: string): Input {
  const { schema, example } = field;
  // A boolean cannot be cleared, so null counts as absent.
  const input: Input = schema instanceof z.ZodBoolean ? nullAsAbsent(schema) : schema.nullable().optional();
  if (name !== preferred) return input.openapi({ description: `Another name of \`${preferred}\`.` });
  return input.openapi({ description: sentences(field), ...example === undefined ? {} : { example } });
}

const ofTypes: Record<string, Input> = Object.fromEntries(
  [...ALL_FIELDS].flatMap(([name, field]) => {
    const names = sentNames(name, field);
    return names.map((sentAs) => [sentAs, inputOf(field, sentAs, names[0]!)]);
  }),
);

const common = z.object({ label: line(255), type: z.enum(DESTINATION_TYPES) });
/**
 * The input fields of every destination type. TypeScript knows only the fields that all destination types
 * share; {@link fieldValues} reads the others.
 */
const fields = common.extend(ofTypes) as unknown as typeof common;

export const BackupDestinationChanges = fields.partial().extend({
  objects_moved: nullAsAbsent(z.boolean()).openapi({
    description: "Whether everything stored there was copied to the location of the new settings.",
  }),
}).openapi("BackupDestinationChanges");

export const NewBackupDestination = rule(
  fields,
  ["type"],
  (sent, fail) => refuseMissing(sent.type, sent, fail),
)
  .openapi("NewBackupDestination");

/** A destination to check before it is saved. */
export const UnsavedBackupDestination = rule(
  fields.partial().extend({
    id: id().nullable().optional().openapi({
      description: "The saved destination that the fields would change. Its values apply to absent fields.",
    }),
    remote_server_id: id().nullable().optional().openapi({
      description: "The server whose agent checks a local path, an SFTP or a WebDAV server.",
    }),
  }),
  ["type", "id"],
  (sent, fail) => {
    if ((sent.id ?? null) !== null) return;
    if (sent.type === undefined) fail("type", "The type field is required.");
    else refuseMissing(sent.type, sent, fail);
  },
).openapi("UnsavedBackupDestination");

function refuseMissing(
  type: DestinationType,
  sent: Readonly<Record<string, unknown>>,
  fail: (field: string, message: string) => void,
): void {
  const values = fieldValues(sent);
  const missing = missingFields(type, (name) => (values[name] ?? null) !== null);
  for (const [field, messages] of Object.entries(missing)) {
    messages.forEach((message) => fail(field, message));
  }
}

/** Converts a request's fields to the service's input. */
export function storedInput<Sent extends Pick<BackupDestinationInput, "label" | "type">>(
  sent: Sent,
): Pick<Sent, "label" | "type"> & Pick<BackupDestinationInput, "values"> {
  return { label: sent.label, type: sent.type, values: fieldValues({ ...sent }) };
}
