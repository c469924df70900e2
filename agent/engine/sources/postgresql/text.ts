/** Quotes names and text for PostgreSQL's SQL. */

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Returns an escape string, which does not depend on `standard_conforming_strings`. */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, "\\$&")}'`;
}
