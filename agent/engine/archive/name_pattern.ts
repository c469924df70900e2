/** Matches names of members against a text or a glob, and tells grep which lines of an index might match. */
import { foldName } from "./display_name.ts";

/** A part of a glob: one character, or a wildcard. */
type Token =
  | { type: "character"; character: string }
  /** `?`: one character other than a slash. */
  | { type: "one" }
  /** `*`: any number of characters other than a slash. */
  | { type: "some" }
  /** `**`: any number of characters. */
  | { type: "all" }
  /** `[a-z]`, `[!a-z]`: one character of a set, or one character outside the set. Never matches a slash. */
  | { type: "set"; ranges: [first: string, last: string][]; isNegated: boolean };

/**
 * A pattern of names. The comparison ignores case. Composed and decomposed accents count as equal.
 * - A pattern with `*`, `?` or `[…]` is a glob. In a glob, the character after a backslash matches only
 *   itself.
 * - Any other pattern is a text. It matches every name that contains this text.
 * - A pattern with a slash applies to a member's whole path. A pattern without a slash applies to the
 *   member's own name.
 *
 * A match takes time proportional to the lengths of pattern and name.
 */
export class NamePattern {
  readonly #text: string;
  /** The parts of the glob; null if the pattern is a text. */
  readonly #glob: Token[] | null;
  readonly #isOfPath: boolean;

  constructor(pattern: string) {
    const isGlob = /[*?]|\[.+\]/s.test(pattern);
    this.#isOfPath = pattern.includes("/");
    this.#text = foldName(pattern);
    this.#glob = isGlob ? parseGlob(this.#text.replace(/^\.?\/+/, "")) : null;
  }

  /** @param path Display name of the member: its path relative to the source's root. */
  matches(path: string): boolean {
    const name = this.#isOfPath ? path : path.slice(path.lastIndexOf("/") + 1);
    const folded = foldName(name);
    if (this.#glob !== null) return matchesGlob(this.#glob, [...folded]);
    // The slash lets a text such as `/etc` match at the root too.
    return (this.#isOfPath ? `/${folded}` : folded).includes(this.#text);
  }

  /**
   * Returns a regular expression for `grep -i -E` in the C locale. If the pattern selects a line of an index,
   * the expression matches that line. It also matches some other lines. Returns null if the expression would
   * match every line.
   */
  lineFilter(): string | null {
    const tokens = this.#glob ??
      [...this.#text].map((character) => ({ type: "character" as const, character }));
    const body = tokens.map(expressionOf).join("").replace(/(?:\[\^\/\]\*){2,}/g, "[^/]*");
    const isSelective = /[^/]/.test(body.replaceAll("[^/]*", "").replaceAll(".*", ""));
    if (isSelective) {
      if (this.#glob === null) return this.#isOfPath ? body : `${body}[^/]*/?"`;
      return this.#isOfPath ? `"\\./${body}/?"` : `/${body}/?"`;
    }
    // If a name has a non-ASCII character, the name's line in the index has a non-ASCII byte or an escape.
    const isForeign = tokens.some((token) => token.type === "character" && !isAscii(token.character));
    return isForeign ? "[^ -~]|\\\\[0-7]" : null;
  }
}

/**
 * Returns a regular expression for a token. The expression is applied to names as an index writes them, with
 * escapes. It matches everything that the token matches, and possibly more.
 */
function expressionOf(token: Token): string {
  if (token.type === "all") return ".*";
  // Tar writes these characters as they are. The semicolon and the backtick are left out because NFC turns
  // certain other characters into them.
  if (token.type !== "character" || !/^[ !#-:<-[\]-_a-~]$/.test(token.character)) return "[^/]*";
  const { character } = token;
  return FOLDED[character] ?? character.replace(/[.[(){*+?^$|]/, "\\$&");
}

/**
 * Expressions for the letters that {@link foldName} also makes from a non-ASCII character. Each expression
 * matches the letter and that character.
 */
const FOLDED: Record<string, string> = { i: "(i|\u0130)", k: "(k|\u212a)" };

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function parseGlob(pattern: string): Token[] {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === "*") {
      const isDouble = characters[at + 1] === "*";
      while (characters[at + 1] === "*") at++;
      tokens.push({ type: isDouble ? "all" : "some" });
      // `**/` matches any number of directories, including none.
      if (isDouble && characters[at + 1] === "/" && isAtSegmentStart(tokens)) at++;
    } else if (character === "?") tokens.push({ type: "one" });
    else if (character === "[") {
      const set = parseSet(characters, at);
      tokens.push(set?.token ?? { type: "character", character });
      at = set?.end ?? at;
    } else {
      const isEscaped = character === "\\" && at + 1 < characters.length;
      tokens.push({ type: "character", character: isEscaped ? characters[++at]! : character });
    }
  }
  return tokens;
}

/** Returns whether the last token, a `**`, is the first token of its path segment. */
function isAtSegmentStart(tokens: readonly Token[]): boolean {
  const before = tokens.at(-2);
  return before === undefined || (before.type === "character" && before.character === "/");
}

/** Parses the set that begins at `start`. Returns null if no bracket closes the set. */
function parseSet(characters: readonly string[], start: number): { token: Token; end: number } | null {
  const isNegated = characters[start + 1] === "!" || characters[start + 1] === "^";
  const first = start + (isNegated ? 2 : 1);
  // A bracket right after `[`, `[!` or `[^` belongs to the set.
  const end = characters.indexOf("]", first + 1);
  if (end === -1) return null;
  const ranges: [string, string][] = [];
  for (let at = first; at < end; at++) {
    const isRange = characters[at + 1] === "-" && at + 2 < end;
    ranges.push([characters[at]!, characters[isRange ? at + 2 : at]!]);
    if (isRange) at += 2;
  }
  return { token: { type: "set", ranges, isNegated }, end };
}

/** Follows all possible positions in the glob at once, so that no glob takes more than linear time. */
function matchesGlob(tokens: readonly Token[], text: readonly string[]): boolean {
  let positions = skipWildcards(tokens, new Set([0]));
  for (const character of text) {
    const next = new Set<number>();
    for (const at of positions) {
      const token = tokens[at];
      if (token === undefined || !accepts(token, character)) continue;
      next.add(token.type === "some" || token.type === "all" ? at : at + 1);
    }
    if (next.size === 0) return false;
    positions = skipWildcards(tokens, next);
  }
  return positions.has(tokens.length);
}

/**
 * Returns `positions` with additions: for each position at a wildcard, adds the position after the wildcard.
 * The reason is that a wildcard might match nothing.
 */
function skipWildcards(tokens: readonly Token[], positions: Set<number>): Set<number> {
  // A set also visits the elements that are added during the loop.
  for (const at of positions) {
    const type = tokens[at]?.type;
    if (type === "some" || type === "all") positions.add(at + 1);
  }
  return positions;
}

function accepts(token: Token, character: string): boolean {
  switch (token.type) {
    case "character":
      return token.character === character;
    case "all":
      return true;
    case "one":
    case "some":
      return character !== "/";
    case "set":
      return character !== "/" &&
        token.ranges.some(([first, last]) => first <= character && character <= last) !== token.isNegated;
  }
}
