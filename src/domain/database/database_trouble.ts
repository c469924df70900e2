/**
 * Explains errors of a database server that is reachable but cannot work: codes of Appendix A of the
 * PostgreSQL manual.
 */

/** Sentences by error code; `stopsWrites` marks the errors that prevent every write. */
const TROUBLES: Readonly<Record<string, { sentence: string; stopsWrites: boolean }>> = {
  "25006": { sentence: "The database is read-only now: nothing can be stored.", stopsWrites: true },
  "53100": {
    sentence:
      "The disk of the database server is full: nothing can be stored. Give it room; it goes on by itself.",
    stopsWrites: true,
  },
  "53200": { sentence: "The database server is out of memory.", stopsWrites: true },
  "53300": {
    sentence:
      "The database server has no connection left. Raise its max_connections, or end what holds them.",
    stopsWrites: false,
  },
  "58030": {
    sentence:
      "The database server can't read or write its files (an I/O error): look at its disk and its log.",
    stopsWrites: true,
  },
  "XX001": { sentence: "The database server found damaged data: look at its log.", stopsWrites: false },
  "XX002": { sentence: "The database server found a damaged index: look at its log.", stopsWrites: false },
};

export interface DatabaseTrouble {
  readonly code: string;
  /** One or two sentences for operators. */
  readonly sentence: string;
  readonly stopsWrites: boolean;
}

/** Returns the explanation of an error; null for any other error. */
export function databaseTrouble(error: unknown): DatabaseTrouble | null {
  if (!(error instanceof Error) || error.name !== "PostgresError" || !("code" in error)) return null;
  const code = String(error.code);
  const known = Object.hasOwn(TROUBLES, code) ? TROUBLES[code] : undefined;
  return known === undefined ? null : { code, ...known };
}
