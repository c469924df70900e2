/**
 * Parses the XML of S3 responses: elements and text only. Rejects document types, because S3 does not use
 * them.
 */
import { SaxesParser } from "saxes";

export interface Element {
  /** The element's name without a namespace prefix. */
  readonly name: string;
  readonly children: Element[];
  /** The element's own text, with entities resolved and white space kept. */
  text: string;
}

/**
 * Parses a document and returns its root element. Throws a `SyntaxError` if the document is not well-formed.
 */
export function parseXml(document: string): Element {
  const top: Element = { name: "", children: [], text: "" };
  const open = [top];
  const refuse = (reason: string): never => {
    throw new SyntaxError(`Cannot read the XML: ${reason}`);
  };
  // Namespace prefixes are not resolved, because some services use prefixes that they do not declare.
  const parser = new SaxesParser({ xmlns: false });
  parser.on("error", ({ message }) => refuse(message));
  parser.on("doctype", () => refuse("it has a document type"));
  parser.on("opentag", ({ name }) => {
    const element = { name: name.slice(name.indexOf(":") + 1), children: [], text: "" };
    open.at(-1)!.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => void open.pop());
  const append = (text: string) => void (open.at(-1)!.text += text);
  parser.on("text", append);
  parser.on("cdata", append);
  parser.write(document).close();
  return top.children[0]!;
}

export function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name);
}

/** Returns the text of the first child `name`; null if there is none. */
export function textOf(element: Element, name: string): string | null {
  return element.children.find((child) => child.name === name)?.text ?? null;
}

/** Escapes text for use in elements and attribute values. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
