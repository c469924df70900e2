/**
 * Explains errors of the database server and of the connection to it. Covers the error codes in Appendix A of
 * the PostgreSQL manual, and those of the operating system and postgres.js.
 */

interface Trouble {
  /** The explanation for operators, one or two sentences long. */
  readonly sentence: string;
  /** Whether the database refuses every write until the problem is solved. */
  readonly stopsWrites: boolean;
}

/** The explanation if the server can't be reached, for example because it is starting or stopping. */
export const UNREACHABLE_MESSAGE = "The database can't be reached right now; try again in a moment.";

/**
 * Explanations of errors, by error code. A key of two or three characters stands for
 * all codes that begin with it. If several keys fit a code, the longest applies.
 */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  "08": passing(UNREACHABLE_MESSAGE),
  "25006": lasting("The database is read-only now: nothing can be stored."),
  "25P03": passing(
    "The database server ended a transaction at its time limit (idle_in_transaction_session_timeout).",
  ),
  "25P04": passing("The database server ended a transaction at its time limit (transaction_timeout)."),
  "28": passing(
    "The database server refuses the log-in: check the user and the password in DATABASE_URL, and its pg_hba.conf.",
  ),
  "3D000": passing("The database that DATABASE_URL names does not exist on its server."),
  "42501": passing("The user in DATABASE_URL lacks a privilege: it must own the database and its tables."),
  "53": passing("The database server has no resources left: look at its log."),
  "53100": lasting(
    "The disk of the database server is full: nothing can be stored. Free some space; then the control plane continues by itself.",
  ),
  "53200": lasting("The database server is out of memory."),
  "53300": passing(
    "The database server has no connection left. Raise its max_connections, or end other connections.",
  ),
  "55000": passing("The database accepts no connections now: look at its settings and its server's log."),
  "55P03": passing("The database server gave up waiting for a lock (lock_timeout); try again."),
  "57014": passing(
    "The database server ended a query at its time limit: raise its statement_timeout, or find out what slows it down.",
  ),
  "57P": passing(UNREACHABLE_MESSAGE),
  "58030": lasting(
    "The database server can't read or write its files (an I/O error): look at its disk and its log.",
  ),
  "XX001": passing("The database server found damaged data: look at its log."),
  "XX002": passing("The database server found a damaged index: look at its log."),
};

/** Error codes for a server that cannot be reached, from the operating system and from postgres.js. */
const UNREACHABLE = new Set([
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_DESTROYED",
  "CONNECTION_ENDED",
  "CONNECTION_READ_ONLY",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

export interface DatabaseTrouble extends Trouble {
  readonly code: string;
}

/** Returns the explanation of an error; null if the error does not come from the database. */
export function databaseTrouble(error: unknown): DatabaseTrouble | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  const code = String(error.code);
  if (error.name !== "PostgresError") {
    return isUnreachable(error, code) ? { code, ...passing(UNREACHABLE_MESSAGE) } : null;
  }
  const key = [code, code.slice(0, 3), code.slice(0, 2)].find((each) => Object.hasOwn(TROUBLES, each));
  return key === undefined ? null : { code, ...TROUBLES[key]! };
}

const OWN_ERRORS = ["NoWritableServerError", "PostgresError", "TransactionLostError"];

/**
 * Returns whether an error certainly comes from the database. Errors of postgres.js can be recognized: they
 * contain a query, or have a code that only postgres.js uses. A code of the operating system is no evidence,
 * because other connections fail with the same codes.
 */
export function isOfDatabase(error: Error): boolean {
  const isOwnCode = "code" in error && /^CONNECT(ION)?_/.test(String(error.code));
  return isOwnCode || OWN_ERRORS.includes(error.name) || "query" in error;
}

/**
 * Returns whether the error means that the server can't be reached. An error without `errno` never means
 * this, because all connection errors of postgres.js and Node have an `errno`.
 */
function isUnreachable(error: Error, code: string): boolean {
  if (!("errno" in error)) return false;
  return UNREACHABLE.has(code) || code === "ENOENT" && "syscall" in error && error.syscall === "connect";
}

function passing(sentence: string): Trouble {
  return { sentence, stopsWrites: false };
}

function lasting(sentence: string): Trouble {
  return { sentence, stopsWrites: true };
}
