/** Parses `application/x-www-form-urlencoded` bodies, with `a[]`, `a[0]` and `a[b]` for lists and objects. */
import { HttpError } from "../errors.ts";

/** Maximum nesting of a form's fields. No field of this API is nested deeper. */
const MAX_DEPTH = 5;

type Branch = Record<string, unknown>;

export interface Form {
  readonly value: Record<string, unknown>;
  /** Names that the form contains more than once, other than `name[]`. */
  readonly repeated: readonly string[];
}

/**
 * Parses a form. Returns a list as an object with numbered names, because only the schema tells which fields
 * are lists. Later, `coercion.ts` turns such an object into a list. Throws a 400 if a name is nested too
 * deep, or if bytes are not UTF-8.
 */
export function parseForm(text: string): Form {
  const root: Branch = Object.create(null);
  const repeated = new Set<string>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? "" : decode(pair.slice(equals + 1));
    if (name === "") continue;
    const path = segments(name);
    if (!put(root, path, value)) repeated.add(path.join("."));
  }
  return { value: root, repeated: [...repeated] };
}

/**
 * Splits a name into its segments. `a[b][]` is `a`, `b` and an empty segment. An empty segment means the next
 * free number.
 */
function segments(name: string): string[] {
  const bracket = name.indexOf("[");
  if (bracket <= 0 || !/^(\[[^[\]]*\])+$/.test(name.slice(bracket))) return [name];
  const path = [name.slice(0, bracket), ...name.slice(bracket + 1, -1).split("][")];
  if (path.length > MAX_DEPTH) throw new HttpError(400, "A field of the form is nested too deep.");
  return path;
}

/**
 * Stores a value at a path. Returns false if the path already has a value. Also returns false if a text is
 * already stored at the beginning of the path: for example at `a[b]`, if the path is `a[b][c]`.
 */
function put(root: Branch, path: string[], value: string): boolean {
  let branch = root;
  for (const segment of path.slice(0, -1)) {
    const name = segment === "" ? nextNumber(branch) : segment;
    const inner = branch[name] ??= Object.create(null);
    if (typeof inner !== "object") return false;
    branch = inner as Branch;
  }
  const last = path.at(-1)!;
  const name = last === "" ? nextNumber(branch) : last;
  if (name in branch) return false;
  branch[name] = value;
  return true;
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
