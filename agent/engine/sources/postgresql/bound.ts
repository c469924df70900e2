/** Extensions that work in only one database of a server, which the server's settings name. */
import type { DatabaseContents } from "../database/row_counts.ts";

/** The extension, and the schema that its objects are in. */
const BOUND = [{ extension: "pg_cron", schema: "cron" }] as const;

/** Returns the extensions of this kind that a database holds. */
export function boundExtensions(contents: DatabaseContents | null): string[] {
  const held = contents?.objects?.extension ?? [];
  return BOUND.map(({ extension }) => extension).filter((extension) => held.includes(extension));
}

/** Returns a test of a statement, or of an error of it: whether it belongs to one of these extensions. */
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

/** For the output: entries that a drill leaves out. */
export function describeBound(extensions: readonly string[]): string {
  return `extension ${extensions.join(", ")}, which works in a database of the original's name only`;
}
