/** Validates and stores the settings of destinations, as their definitions say. */
import type { FieldTable } from "../fields/field.ts";
import { fieldWords } from "../formats/says.ts";
import type { DestinationField, Endpoint, Settings, SettingValue } from "./definition.ts";
import { definitionOf, destinationDefinitions, type DestinationType } from "./registry.ts";

/** A destination's type and its settings. */
export interface TypedSettings {
  readonly type: DestinationType;
  readonly settings: Settings;
}

/** Values by field; null clears the field. */
export type FieldValues = Readonly<Record<string, SettingValue | null>>;

/**
 * Every field of every destination type. The keys are the fields' own names. Callers might send a field under
 * another name, see {@link sentNames}. If several types have the same field, its format is the same in all of
 * them.
 */
export const ALL_FIELDS: ReadonlyMap<string, DestinationField> = new Map(
  Object.values(destinationDefinitions).flatMap(({ fields }) =>
    Object.entries(fields as Record<string, DestinationField>)
  ),
);

/** Names of the settings that a search of destinations looks into. */
export const SEARCHED_SETTINGS: readonly string[] = [...ALL_FIELDS].filter(([, { isSearched }]) => isSearched)
  .map(([name]) => name);

export function sentNames(name: string, { sentAs }: DestinationField): readonly string[] {
  return sentAs ?? [name];
}

/**
 * Every field of every destination type, by the name that callers should send. The command line and the
 * documentation use these names.
 */
export const SENT_FIELDS: FieldTable = Object.fromEntries(
  [...ALL_FIELDS].map(([name, field]) => {
    const { schema, help, placeholder, isSecret, isTransient } = field;
    const described = placeholder === undefined ? { schema, help } : { schema, help, placeholder };
    return [
      sentNames(name, field)[0]!,
      isSecret || isTransient ? { ...described, isSecret: true } : described,
    ];
  }),
);

/**
 * Returns the values that a caller sent. The keys of the result are the fields' own names. If the caller sent
 * a field under several names, the first value that is not null counts.
 */
export function fieldValues(sent: Readonly<Record<string, unknown>>): FieldValues {
  const values: Record<string, SettingValue | null> = {};
  for (const [name, field] of ALL_FIELDS) {
    const given = sentNames(name, field).map((each) => sent[each] as SettingValue | null | undefined)
      .filter((value) => value !== undefined);
    if (given.length > 0) values[name] = given.find((value) => value !== null) ?? null;
  }
  return values;
}

/**
 * Returns an error message for each required field that a destination of `type` lacks. The messages are keyed
 * by the field name that callers send.
 */
export function missingFields(
  type: DestinationType,
  isSet: (field: string) => boolean,
): Record<string, string[]> {
  const { fields, requiredOneOf } = definitionOf(type);
  const missing: Record<string, string[]> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!field.isRequired || isSet(name)) continue;
    const sentAs = sentNames(name, field)[0]!;
    missing[sentAs] = [`The ${fieldWords([sentAs])} field is required when type is ${type}.`];
  }
  if (requiredOneOf !== undefined && !requiredOneOf.fields.some(isSet)) {
    const [first] = requiredOneOf.fields;
    missing[sentNames(first!, fields[first!]!)[0]!] = [requiredOneOf.message];
  }
  return missing;
}

/**
 * Returns the settings to store for a destination of `type`, with defaults. Settings of other types are left
 * out.
 */
export function storedSettings(
  type: DestinationType,
  values: Readonly<Record<string, SettingValue | null | undefined>>,
): Record<string, SettingValue> {
  const stored: Record<string, SettingValue> = {};
  for (const [name, field] of Object.entries(definitionOf(type).fields)) {
    const value = values[name] ?? field.default;
    if (!field.isTransient && !field.isSecret && value !== undefined) stored[name] = value;
  }
  return stored;
}

/** Returns the secrets to store for a destination of `type`. Secrets of other types are left out. */
export function storedSecrets(
  type: DestinationType,
  values: Readonly<Record<string, string | null | undefined>>,
): Record<string, string> {
  const { fields } = definitionOf(type);
  return Object.fromEntries(
    Object.entries(values).filter((each): each is [string, string] =>
      typeof each[1] === "string" && fields[each[0]]?.isSecret === true
    ),
  );
}

/** Returns the endpoint of a destination if the control plane itself connects to it; null otherwise. */
export function connectionOf({ type, settings }: TypedSettings): Endpoint | null {
  const { endpoint, reach } = definitionOf(type);
  return reach === "control_plane" ? endpoint?.(settings) ?? null : null;
}

/**
 * Returns whether a destination of the type `other` can access objects that a destination of the type `one`
 * has stored, and the other way round.
 */
export function isSameStorage(one: DestinationType, other: DestinationType): boolean {
  return definitionOf(one).jobShape === definitionOf(other).jobShape;
}

/**
 * Compares the settings of a destination before and after a change. Returns the names of those changed
 * settings that would make stored objects unreachable. The names are the field names that callers send.
 */
export function movedSettings(before: TypedSettings, after: TypedSettings): string[] {
  const [old, now] = [before, after].map(({ type, settings }) => definitionOf(type).boundTo(settings));
  return Object.keys(now!).filter((setting) => old![setting] !== now![setting]);
}
