/** A database that came back, held against what its backup tells of it. */
import { type DatabaseContents, tableName, type TableRows } from "./sources/row_counts.ts";

const TOLD = 3;

/**
 * One line that names what is missing or otherwise; null where nothing is. What came back beyond what was told is none: an extension may
 * bring tables.
 */
export function compareContents(expected: DatabaseContents, found: DatabaseContents): string | null {
  const key = ({ schema, name }: TableRows) => JSON.stringify([schema, name]);
  const tables = new Map(found.tables.map((table) => [key(table), table.rows]));
  const differences = expected.tables.flatMap((table) => {
    const rows = tables.get(key(table));
    if (rows === undefined) return [`table ${tableName(table)} is missing`];
    if (table.rows === null || rows === null || rows === table.rows) return [];
    return [`table ${tableName(table)} has ${counted(rows, "row")}, ${table.rows} were backed up`];
  });
  const [were, are] = [expected.large_objects ?? null, found.large_objects ?? null];
  if (were !== null && are !== null && were !== are) {
    differences.push(`it has ${counted(are, "large object")}, ${were} were backed up`);
  }
  if (differences.length === 0) return null;
  const more = differences.length - TOLD;
  return differences.slice(0, TOLD).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
