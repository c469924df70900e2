/** `application/x-www-form-urlencoded` bodies, with `a[]`, `a[0]` and `a[b]` for lists and objects. */
import { HttpError } from "../errors.ts";

/** No field of this API is nested deeper. */
const MAX_DEPTH = 5;

type Branch = Record<string, unknown>;

/**
 * Lists come back as objects with numbered names: what is a list is for the schema to say (see `coercion.ts`).
 * Throws a 400 for a name nested too deep or bytes that are no UTF-8.
 */
export function parseForm(text: string): Record<string, unknown> {
  const root: Branch = Object.create(null);
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
    if (name !== "") put(root, segments(name), value);
  }
  return root;
}

/** `a[b][]` is `a`, `b` and an empty segment: the next free number. */
function segments(name: string): string[] {
  const bracket = name.indexOf("[");
  if (bracket <= 0 || !/^(\[[^[\]]*\])+$/.test(name.slice(bracket))) return [name];
  const path = [name.slice(0, bracket), ...name.slice(bracket + 1, -1).split("][")];
  if (path.length > MAX_DEPTH) throw new HttpError(400, "The form nests a field too deep.");
  return path;
}

function put(root: Branch, path: string[], value: string): void {
  let branch = root;
  for (const segment of path.slice(0, -1)) {
    const name = segment === "" ? nextNumber(branch) : segment;
    const inner = branch[name];
    const next: Branch = typeof inner === "object" && inner !== null ? inner as Branch : Object.create(null);
    branch[name] = next;
    branch = next;
  }
  const last = path.at(-1)!;
  branch[last === "" ? nextNumber(branch) : last] = value;
}

function nextNumber(branch: Branch): string {
  return String(Object.keys(branch).length);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new HttpError(400, "The form is not valid: a percent-encoding in it is broken.");
  }
}
