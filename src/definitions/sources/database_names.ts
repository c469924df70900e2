/**
 * Formats of database names. They accept a name if at least one type of database server accepts it. The rules
 * for the type of the task's source are applied later.
 */
import type * as z from "zod";
import { splitDatabaseNames } from "../../domain/database/database_names.ts";
import { says } from "../formats/says.ts";
import { literalLine } from "../formats/text.ts";
import { DATABASE_TYPES, DEFINITIONS } from "./registry.ts";

/**
 * Accepts one database name, several names separated by commas, or `*` for all databases. All names except
 * `*` are literal.
 */
export function databaseNames(): z.ZodString {
  return checked(splitDatabaseNames);
}

/** Accepts the name of a new database. */
export function databaseName(): z.ZodString {
  return checked((value) => [value]);
}

function checked(split: (value: string) => string[]): z.ZodString {
  return literalLine(4000).refine((value) => problemsOf(split(value)).includes(null), {
    error: (issue) => says(problemsOf(split(issue.input as string))[0]!)(issue),
  });
}

/**
 * Returns one entry for each source type that has databases. The entry says what is wrong with the names. It
 * is null if the type accepts the names.
 */
function problemsOf(names: readonly string[]): (string | null)[] {
  return DATABASE_TYPES.map((type) => DEFINITIONS.get(type)!.nameProblem!(names));
}
