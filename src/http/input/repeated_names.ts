/**
 * Finds names that a JSON text gives twice in one object. `JSON.parse` silently keeps only the last value.
 * For example, `{"encryption_password": "x", "encryption_password": null}` would be read as null, and the
 * backup would not be encrypted.
 */

/** Maximum nesting that is checked. No field of this API is nested deeper. */
const MAX_DEPTH = 20;
/** Maximum number of names that are reported. */
const MAX_FOUND = 50;

interface Level {
  /** The names found in the object so far; null if this level is a list. */
  readonly names: Set<string> | null;
  /** Name of the object's current member, or index of the list's current item. */
  at: string | number;
}

/** Returns the paths of the repeated names, each once. The text must be valid JSON. */
export function repeatedNames(text: string): string[] {
  const found = new Set<string>();
  const levels: Level[] = [];
  let isName = false;
  for (let at = 0; at < text.length && found.size < MAX_FOUND; at++) {
    const level = levels.at(-1);
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        if (isName && levels.length <= MAX_DEPTH) {
          const name = JSON.parse(text.slice(at, end)) as string;
          level!.at = name;
          if (level!.names!.has(name)) found.add(levels.map((each) => each.at).join("."));
          level!.names!.add(name);
        }
        isName = false;
        at = end - 1;
        break;
      }
      case "{":
        levels.push({ names: new Set(), at: "" });
        isName = true;
        break;
      case "[":
        levels.push({ names: null, at: 0 });
        break;
      case "}":
      case "]":
        levels.pop();
        isName = false;
        break;
      case ",":
        isName = level!.names !== null;
        if (typeof level!.at === "number") level!.at++;
    }
  }
  return [...found];
}

/** Returns the position after the closing quote of the string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
