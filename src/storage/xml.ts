/**
 * The XML that S3 answers with: elements and text, no more. Document types, which S3 has no use for, are
 * refused.
 */
import { SaxesParser } from "saxes";

export interface Element {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly children: Element[];
  /** Its own text, entities resolved; white space kept. */
  text: string;
}

/** Parses one well-formed document. Throws a `SyntaxError`. */
export function parseXml(document: string): Element {
  const top: Element = { name: "", children: [], text: "" };
  const open = [top];
  const refuse = (reason: string): never => {
    throw new SyntaxError(`Cannot read the XML: ${reason}`);
  };
  // Prefixes are not resolved: not every service declares those it uses.
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

/** The text of the first such child; null where there is none. */
export function textOf(element: Element, name: string): string | null {
  return element.children.find((child) => child.name === name)?.text ?? null;
}

/** For text and attribute values. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
