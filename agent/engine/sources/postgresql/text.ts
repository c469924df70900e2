/** Quotes names and text for PostgreSQL's SQL. */

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An escape string, which means the same whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
  return ` E'${text.replace(/[\\']/g, "\\$&")}'`;
}
