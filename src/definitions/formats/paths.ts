/**
 * Formats of paths, file names and hosts. They refuse what a file system, a bucket or a program could
 * misread.
 */
import * as z from "zod";
import { literal, text } from "./text.ts";
import { says } from "./says.ts";

const MAX_PATH = 4096;

/** Accepts an absolute path without `..`. The path can contain unusual characters, even a line break. */
export function absolutePath(): z.ZodString {
  return inside(literal(MAX_PATH)).refine((value) => value.startsWith("/"), {
    error: says("must be an absolute path, such as /var/www"),
  });
}

/**
 * Accepts an absolute path of a directory for backups. Refuses control characters, because a listing, a log
 * or a bucket's XML could not show them.
 */
export function absoluteStorePath(): z.ZodString {
  return printable(absolutePath());
}

/**
 * Accepts an {@link innerPath} of a directory for backups. Refuses control characters, because a listing, a
 * log or a bucket's XML could not show them.
 */
export function relativeStorePath(): z.ZodString {
  return printable(innerPath());
}

/**
 * Accepts a path relative to some directory, with or without a leading slash. Refuses `..`, because it could
 * lead out of the directory.
 */
export function innerPath(): z.ZodString {
  return inside(literal(MAX_PATH));
}

/** Accepts an {@link innerPath}, or an empty string for the directory itself. */
export function innerPathOrRoot(): z.ZodString {
  return inside(z.string().max(MAX_PATH));
}

function inside(schema: z.ZodString): z.ZodString {
  return schema.refine((value) => !value.split("/").includes(".."), {
    error: says("must not contain .. as a part"),
  });
}

function printable(schema: z.ZodString): z.ZodString {
  return schema.refine((value) => !/\p{Cc}/u.test(value), {
    error: says("must not contain control characters"),
  });
}

/** Accepts a part of a file name that every file system, bucket and shell understands in the same way. */
export function fileNamePart(max: number): z.ZodString {
  return literal(max).refine((value) => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(value), {
    error: says(
      "must consist of letters, digits, dots, dashes and underscores, and not start with a dot or dash",
    ),
  });
}

/** Accepts a host name, an IPv4 address or an IPv6 address. */
export function host(): z.ZodString {
  return text(253).refine(isHost, { error: says("must be an IP address or a host name") });
}

/** Accepts a host, or the absolute path of the directory with a database server's socket. */
export function hostOrSocketDirectory(): z.ZodString {
  return literal(MAX_PATH).refine(
    (value) => value.startsWith("/") ? isSocketDirectory(value) : isHost(value),
    {
      error: says("must be an IP address, a host name or the absolute path of a socket's directory"),
    },
  );
}

function isSocketDirectory(path: string): boolean {
  return !path.split("/").includes("..") && !/\p{Cc}/u.test(path);
}

function isHost(value: string): boolean {
  if (value.includes(":")) return URL.canParse(`http://[${value}]/`);
  // Text of digits and dots must be an IPv4 address, never a name, because programs would read 1.2.3 or
  // 256.1.1.1 in surprising ways.
  if (/^[0-9.]+$/.test(value)) {
    return /^(\d{1,3})(\.\d{1,3}){3}$/.test(value) && value.split(".").every((part) => Number(part) <= 255);
  }
  return value.replace(/\.$/, "").split(".").every((label) =>
    /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)
  );
}
