/** Reads query parameters, and reports those that an operation does not accept. */
import { nearestName } from "../../domain/near_name.ts";
import { HttpError } from "../errors.ts";
import type { FieldErrors } from "./input.ts";

/** Returns the names and values of a URL's query. Throws a 400 for a percent-encoding that is not UTF-8. */
export function readQuery(url: string): [name: string, value: string][] {
  const query = new URL(url).search.slice(1);
  return query.split("&").filter((pair) => pair !== "").map((pair) => {
    const equals = pair.indexOf("=");
    return equals === -1
      ? [decode(pair), ""]
      : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
  });
}

/**
 * Returns an error for each name that is unknown or repeated. For an unknown name, the error suggests the
 * known name that was probably meant.
 */
export function queryErrors(
  pairs: readonly (readonly [string, string])[],
  known: readonly string[],
): FieldErrors {
  const errors: FieldErrors = {};
  const seen = new Set<string>();
  for (const [name] of pairs) {
    const shown = name.slice(0, 100);
    if (!known.includes(name)) errors[shown] = [unknownParameter(shown, known)];
    else if (seen.has(name)) errors[shown] = [`The ${shown} parameter must be given once.`];
    seen.add(name);
  }
  return errors;
}

/** Returns warnings about parameters sent to an operation that takes none. */
export function ignoredParameters(pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.slice(0, 50).map(([name]) =>
    `The query parameter ${name.slice(0, 100)} was ignored: this operation takes none.`
  );
}

function unknownParameter(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const all = known.length === 0
    ? "This operation takes none."
    : `The known parameters are: ${known.join(", ")}.`;
  const hint = nearest === null ? all : `Did you mean ${nearest}?`;
  return `The query parameter ${name} is not known. ${hint}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new HttpError(400, "The query is not valid: a percent-encoding in it is broken.");
  }
}
