/**
 * The XML that S3 answers with: elements and text, no more. Strict: what is not well-formed is refused, and so
 * are document types, which S3 has no use for and attackers do.
 */
export interface Element {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly children: Element[];
  /** Its own text, entities resolved; white space kept. */
  text: string;
}

const TOKEN =
  /<\?[\s\S]*?\?>|<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;

/** Parses one document. Throws a `SyntaxError`. */
export function parseXml(document: string): Element {
  const top: Element = { name: "", children: [], text: "" };
  const open = [top];
  TOKEN.lastIndex = document.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(document);
    if (match === null) throw new SyntaxError(`Cannot read the XML: unexpected markup at ${at}`);
    const [, cdata, closed, opened, , selfClosed, text] = match;
    const current = open.at(-1)!;
    if (cdata !== undefined) current.text += cdata;
    else if (text !== undefined) current.text += resolveEntities(text);
    else if (opened !== undefined) {
      const element = { name: localName(opened), children: [], text: "" };
      current.children.push(element);
      if (selfClosed === "") open.push(element);
    } else if (closed !== undefined) {
      if (open.length === 1 || current.name !== localName(closed)) {
        throw new SyntaxError(`Cannot read the XML: </${closed}> closes nothing at ${at}`);
      }
      open.pop();
    }
  }
  const [root, ...others] = top.children;
  if (root === undefined || others.length > 0 || open.length > 1 || top.text.trim() !== "") {
    throw new SyntaxError("Cannot read the XML: it is not one whole document");
  }
  return root;
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the first such child; null where there is none. */
export function textOf(element: Element, name: string): string | null {
  return element.children.find((child) => child.name === name)?.text ?? null;
}

/** For text and attribute values. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", apos: "'", quot: '"' };

function resolveEntities(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+));|&/g, (_, decimal, hex, name) => {
    const resolved = name !== undefined ? NAMED[name] : codePoint(decimal ?? `0x${hex}`);
    if (resolved === undefined) throw new SyntaxError("Cannot read the XML: it holds an unknown entity");
    return resolved;
  });
}

function codePoint(digits: string): string | undefined {
  const code = Number(digits);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
