/**
 * Formats of the names of databases, tables and users. They refuse what a database's programs could misread.
 */
import type * as z from "zod";
import { splitDatabaseNames, splitNames } from "../../domain/database/database_names.ts";
import { integer, literal, literalLine } from "./text.ts";
import { says } from "./says.ts";
import { hostOrSocketDirectory } from "./paths.ts";

/** The longest name MySQL allows; PostgreSQL's are one shorter. */
const MAX_NAME = 64;

/** Accepts one name, several separated by commas, or `*` for all. Names are literal. */
export function databaseNames(): z.ZodString {
  return literalLine(4000).refine((value) => problemOf(splitDatabaseNames(value)) === null, {
    error: (issue) => says(problemOf(splitDatabaseNames(issue.input as string))!)(issue),
  });
}

/** Name of a new database. */
export function databaseName(): z.ZodString {
  return literalLine(MAX_NAME).refine((value) => problemOf([value]) === null, {
    error: (issue) => says(problemOf([issue.input as string])!)(issue),
  });
}

/** Name of an existing database. */
export function storedDatabaseName(): z.ZodString {
  return literal(MAX_NAME);
}

/** `table`, `schema.table` and patterns, separated by commas. */
export function tableNames(): z.ZodString {
  return literalLine(10_000).refine(
    (value) => splitNames(value).every((name) => name !== "" && !name.startsWith("-")),
    {
      error: says("must be table names separated by commas"),
    },
  );
}

/** A user of a database. */
export function databaseUser(): z.ZodString {
  return literalLine(128).refine((value) => !value.startsWith("-"), {
    error: says("must not start with a dash"),
  });
}

/** Database server to load into, if it is not the task's. */
export const databaseServerFields = {
  database_host: hostOrSocketDirectory().nullable().meta({
    description:
      "Databases only. The database server to load into, or the directory of its socket; null: the local socket. Default: the task's server and user. It gets the " +
      "remote server's `database_password`; the task's where it is the task's own host, or the machine itself.",
  }),
  database_port: integer(1, 65535).nullable().meta({ description: "Of `database_host`." }),
  database_username: databaseUser().nullable().meta({ description: "At `database_host`." }),
};

/** A user of the operating system. */
export function systemUser(): z.ZodString {
  return literalLine(64).refine((value) => /^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/.test(value), {
    error: says("must be the name of a system user"),
  });
}

/**
 * Returns the problem with a name. To PostgreSQL's tools, `a=b` is a connection string and a leading dash an
 * option. A slash would lead out of the directory of a dump's file.
 */
function problemOf(names: readonly string[]): string | null {
  if (names.includes("")) return "must be database names separated by commas";
  if (names.some((name) => [...name].length > MAX_NAME)) {
    return `must not hold a name longer than ${MAX_NAME} characters`;
  }
  if (names.some((name) => /^[-.]|[/\\=]/.test(name))) {
    return "must not hold a name that starts with a dash or dot, or has a slash, backslash or equals sign in it";
  }
  if (new Set(names).size !== names.length) return "must not name a database twice";
  return null;
}
