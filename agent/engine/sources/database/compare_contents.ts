/** Compares a restored database with the contents that its backup recorded. */
import { type DatabaseContents, tableName, type TableRows } from "./row_counts.ts";

/** Maximum number of differences in the error message. */
const MAX_LISTED = 3;

/**
 * Types of database contents for which additions count as differences too. An additional grant or property
 * might give access to data.
 */
const EXACT = ["grant", "database property"];

/**
 * Returns one line that lists missing or different contents; null if there are none. Additional tables are
 * not a difference, because extensions may create tables.
 */
export function compareContents(expected: DatabaseContents, found: DatabaseContents): string | null {
  const key = ({ schema, name }: TableRows) => JSON.stringify([schema, name]);
  const tables = new Map((found.tables ?? []).map((table) => [key(table), table.rows]));
  const differences = (expected.tables ?? []).flatMap((table) => {
    const rows = tables.get(key(table));
    if (rows === undefined) return [`table ${tableName(table)} is missing`];
    if (table.rows === null || rows === null || rows === table.rows) return [];
    return [`table ${tableName(table)} has ${formatCount(rows, "row")}, ${table.rows} were backed up`];
  });
  const [were, are] = [expected.large_objects ?? null, found.large_objects ?? null];
  if (were !== null && are !== null && were !== are) {
    differences.push(`it has ${formatCount(are, "large object")}, ${were} were backed up`);
  }
  differences.push(...comparedKinds(expected, found).flatMap((kind) => compareKind(kind, expected, found)));
  if (differences.length === 0) return null;
  const more = differences.length - MAX_LISTED;
  return differences.slice(0, MAX_LISTED).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

/** Returns descriptions of the contents that {@link compareContents} does not compare. */
export function uncompared(expected: DatabaseContents, found: DatabaseContents): string[] {
  const compared = comparedKinds(expected, found);
  const kinds = Object.keys(expected.objects ?? {}).filter((kind) => !compared.includes(kind));
  const phrases = [...expected.not_compared ?? [], ...found.not_compared ?? [], ...kinds];
  return [...new Set(phrases)];
}

/**
 * Returns the types of objects to compare: the types in `expected`, except those that `found` declares as not
 * compared. A type that is missing in `found` is compared too, because all of its objects are lost. Returns
 * no types if `found` has no list of objects.
 */
function comparedKinds(expected: DatabaseContents, found: DatabaseContents): string[] {
  if (found.objects === undefined) return [];
  return Object.keys(expected.objects ?? {}).filter((kind) => !found.not_compared?.includes(kind));
}

function compareKind(kind: string, expected: DatabaseContents, found: DatabaseContents): string[] {
  const [were, are] = [expected.objects![kind]!, found.objects![kind] ?? []];
  const has = new Set(are);
  const had = new Set(were);
  const missing = were.filter((name) => !has.has(name)).map((name) => `${kind} ${name} is missing`);
  if (!EXACT.includes(kind)) return missing;
  const added = are.filter((name) => !had.has(name)).map((name) => `${kind} ${name} was not there`);
  return [...missing, ...added];
}

function formatCount(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
