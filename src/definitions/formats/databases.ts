/**
 * Formats for names of databases, tables and users. The formats refuse names that database programs could
 * misread.
 */
import type * as z from "zod";
import { splitNames } from "../../domain/database/database_names.ts";
import { literalLine } from "./text.ts";
import { says } from "./says.ts";

/** Maximum length of a name in MySQL. PostgreSQL permits one character less. */
const MAX_NAME = 64;

/** Accepts names such as `table` or `schema.table`, and patterns, separated by commas. */
export function tableNames(): z.ZodString {
  return literalLine(10_000).refine(
    (value) => splitNames(value).every((name) => name !== "" && !name.startsWith("-")),
    {
      error: says("must be table names separated by commas"),
    },
  );
}

/** Accepts the name of a database user. */
export function databaseUser(): z.ZodString {
  return literalLine(128).refine((value) => !value.startsWith("-"), {
    error: says("must not start with a dash"),
  });
}

/** Accepts the name of a user of the operating system. */
export function systemUser(): z.ZodString {
  return literalLine(64).refine((value) => /^[A-Za-z_][A-Za-z0-9_.@-]*\$?$/.test(value), {
    error: says("must be the name of a system user"),
  });
}

/**
 * Returns what is wrong with a list of database names of one server; null if nothing is. PostgreSQL's tools
 * would read the name `a=b` as a connection string, and a name with a leading dash as an option. A name with
 * a slash would lead out of the dump's directory.
 */
export function serverNameProblem(names: readonly string[]): string | null {
  if (names.includes("")) return "must be database names separated by commas";
  if (names.some((name) => [...name].length > MAX_NAME)) {
    return `must not contain a name longer than ${MAX_NAME} characters`;
  }
  if (names.some((name) => /^[-.]|[/\\=]/.test(name))) {
    return "must not contain a name that starts with a dash or dot, or that contains a slash, backslash or equals sign";
  }
  if (new Set(names).size !== names.length) return "must not name a database twice";
  return null;
}
