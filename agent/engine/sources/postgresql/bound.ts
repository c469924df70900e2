/**
 * Finds extensions that work in only one database of a server. The server's settings contain the name of this
 * database.
 */
import type { DatabaseContents } from "../database/row_counts.ts";

/** The extensions that are bound to one database, each with the schema of its objects. */
const BOUND = [{ extension: "pg_cron", schema: "cron" }] as const;

/** Returns the names of the bound extensions that a database contains. */
export function boundExtensions(contents: DatabaseContents | null): string[] {
  const present = contents?.objects?.extension ?? [];
  return BOUND.map(({ extension }) => extension).filter((extension) => present.includes(extension));
}

/**
 * Returns a function that tells whether a statement or its error message belongs to one of these extensions.
 */
export function boundStatement(extensions: readonly string[]): (text: string) => boolean {
  const patterns = BOUND.filter(({ extension }) => extensions.includes(extension)).map((
    { extension, schema },
  ) =>
    new RegExp(
      `\\bextension (?:if not exists )?"?${extension}\\b|(?:^copy |table |sequence |function |procedure |relation "|setval\\('|` +
        ` on )${schema}\\.|schema "?${schema}\\b|can only create extension in database`,
      "i",
    )
  );
  return (text) => patterns.some((pattern) => pattern.test(text));
}

/** Returns a text for the output about bound extensions that a drill or restore leaves out. */
export function describeBound(extensions: readonly string[]): string {
  return `extension ${extensions.join(", ")}, which works in a database of the original's name only`;
}
