/** Parses the response to the WebDAV method PROPFIND (RFC 4918, 13). */
import { SaxesParser } from "saxes";

const DAV = "DAV:";

export const PROPERTIES =
  '<?xml version="1.0" encoding="utf-8"?>\n<propfind xmlns="DAV:"><prop><resourcetype/>' +
  "<getcontentlength/><quota-available-bytes/><quota-used-bytes/></prop></propfind>";

export interface DavEntry {
  /** Segments of the path in `href`, decoded. */
  readonly path: readonly string[];
  readonly isDirectory: boolean;
  /** Size in bytes; null if the server does not report a size. */
  readonly size: number | null;
  /** Number of bytes that the account can still store; null if the server does not report this number. */
  readonly free: number | null;
  /** Number of bytes that count towards the quota; null if the server does not report this number. */
  readonly used: number | null;
}

/**
 * Returns the entries of a `multistatus` document. Throws a `SyntaxError` if the document has another format.
 */
export function parseEntries(document: string): DavEntry[] {
  const entries: DavEntry[] = [];
  const open: string[] = [];
  let response: Response | null = null;
  let properties: Record<string, string> = {};
  let status = "";
  let text = "";
  const refuse = (): never => {
    throw new SyntaxError("The answer is no list of WebDAV");
  };
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", refuse);
  parser.on("doctype", refuse);
  parser.on("opentag", ({ uri, local }) => {
    const name = uri === DAV ? local : "";
    if (open.length === 0 && name !== "multistatus") refuse();
    open.push(name);
    text = "";
    if (name === "response") response = { href: "", properties: {} };
    if (name === "propstat") [properties, status] = [{}, ""];
    if (name === "collection" && open.at(-2) === "resourcetype") properties.collection = "";
  });
  const append = (more: string) => void (text += more);
  parser.on("text", append);
  parser.on("cdata", append);
  parser.on("closetag", () => {
    const name = open.pop()!;
    if (response === null) return;
    if (name === "href" && open.at(-1) === "response") response.href = text.trim();
    else if (name === "status" && open.at(-1) === "propstat") status = text;
    else if (name !== "" && open.at(-1) === "prop") properties[name] = text.trim();
    else if (name === "propstat" && / 2\d\d\b/.test(` ${status}`)) {
      Object.assign(response.properties, properties);
    } else if (name === "response") {
      entries.push(entryOf(response));
      response = null;
    }
  });
  parser.write(document).close();
  return entries;
}

interface Response {
  href: string;
  properties: Record<string, string>;
}

function entryOf({ href, properties }: Response): DavEntry {
  return {
    path: segmentsOf(href),
    isDirectory: properties.collection !== undefined,
    size: wholeNumber(properties.getcontentlength),
    free: wholeNumber(properties["quota-available-bytes"]),
    used: wholeNumber(properties["quota-used-bytes"]),
  };
}

/** Returns the decoded segments of a URL's path. Also accepts an absolute path in place of the URL. */
function segmentsOf(href: string): string[] {
  const { pathname } = new URL(href, "http://host/");
  return pathname.split("/").filter((segment) => segment !== "").map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      // The segment is not percent-encoded.
      return segment;
    }
  });
}

function wholeNumber(text: string | undefined): number | null {
  // A negative quota means that the account has no quota or that the quota is unknown.
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * Returns the entries that are directly inside the listed directory. The entry with the shortest path is the
 * listed directory itself. The path of the request is not used, because a proxy may change paths.
 */
export function childrenOf(entries: readonly DavEntry[]): DavEntry[] {
  const own = Math.min(...entries.map(({ path }) => path.length));
  return entries.filter(({ path }) => path.length === own + 1);
}
