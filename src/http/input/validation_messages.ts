/** Converts validation issues to messages for people. */
import type { z } from "@hono/zod-openapi";
import { fieldWords } from "../../definitions/formats/says.ts";

/** Returns the message for an issue whose schema defines no message. */
export function issueSentence(issue: z.core.$ZodRawIssue): string {
  return `The ${fieldWords(issue.path ?? [])} field ${predicate(issue)}.`;
}

function predicate(issue: z.core.$ZodRawIssue): string {
  if (
    issue.input === undefined || issue.input === null || (issue.input === "" && issue.code === "too_small")
  ) {
    return "is required";
  }
  switch (issue.code) {
    case "invalid_type":
      return `must be ${TYPES[issue.expected as string] ?? `a ${issue.expected}`}`;
    case "invalid_value":
      return `must be one of: ${(issue.values as unknown[]).join(", ")}`;
    case "too_small":
      return `must ${size(issue.origin as string, "least", issue.minimum as number)}`;
    case "too_big":
      return `must ${size(issue.origin as string, "most", issue.maximum as number)}`;
    case "invalid_format":
      return `must be ${FORMATS[issue.format as string] ?? "in the right format"}`;
    default:
      return "is invalid";
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "an integer",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

const FORMATS: Readonly<Record<string, string>> = {
  email: "an email address",
  url: "a URL",
  datetime: "a time in ISO 8601 with a zone, such as 2026-01-31T12:00:00Z",
};

function size(origin: string, bound: "least" | "most", limit: number): string {
  switch (origin) {
    case "string":
      return bound === "least"
        ? `have at least ${limit} characters`
        : `not be longer than ${limit} characters`;
    case "array":
      return `have at ${bound} ${limit} ${limit === 1 ? "item" : "items"}`;
    default:
      return `be at ${bound} ${limit}`;
  }
}
