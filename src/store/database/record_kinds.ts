/**
 * Kinds of records whose changes are announced to open pages. The triggers of the database (see migration
 * 0052) use the same names.
 */
export const RECORD_KINDS = [
  "runs",
  "tasks",
  "backups",
  "servers",
  "destinations",
  "alerts",
  "access",
] as const;

export type RecordKind = typeof RECORD_KINDS[number];
