/** The files that pages load: style sheet, scripts, icon, and the pictures of the documentation. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { App } from "../http/observe.ts";

/** The files that browsers can load. Each file consists of the texts of its `parts`, one after another. */
const FILES: Readonly<Record<string, { readonly type: string; readonly parts: readonly string[] }>> = {
  "rearguard.css": {
    type: "text/css; charset=utf-8",
    parts: ["./assets/tokens.css", "./assets/rearguard.css", ...areaStyles()],
  },
  "icon.svg": { type: "image/svg+xml", parts: ["./assets/icon.svg"] },
  "passkeys.js": { type: "text/javascript; charset=utf-8", parts: ["./assets/passkeys.js"] },
  "app.js": {
    type: "text/javascript; charset=utf-8",
    parts: [
      "htmx.org/dist/htmx.min.js",
      "htmx.org/dist/ext/hx-csp.min.js",
      "htmx.org/dist/ext/hx-sse.min.js",
      "./assets/rearguard.js",
      "./assets/log.js",
    ],
  },
};

/**
 * Returns the style sheets of single areas. They refine the style sheets that all pages share, so they come
 * after those.
 */
function areaStyles(): string[] {
  const names = [...Deno.readDirSync(new URL("./assets", import.meta.url))].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".css") && name !== "tokens.css" && name !== "rearguard.css")
    .sort().map((name) => `./assets/${name}`);
}

/** The folder with the pictures of the documentation. */
const PICTURES = new URL("../../docs/images/", import.meta.url);

interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Null if the file's format is compressed already. */
  readonly compressed: Uint8Array<ArrayBuffer> | null;
  /** Changes with the content, so that browsers can keep a file for as long as they like. */
  readonly version: string;
}

/** The files, kept in memory. */
export class Assets {
  readonly #files = new Map<string, Asset>();

  /**
   * Reads the files.
   *
   * @param pictures The folder with the pictures of the documentation. It can be absent.
   */
  constructor(pictures: URL = PICTURES) {
    for (const [name, { type, parts }] of Object.entries(FILES)) {
      const texts = parts.map((part) => withoutSourceMap(Deno.readTextFileSync(locate(part))));
      const bytes = new TextEncoder().encode(texts.join("\n"));
      const compressed = new Uint8Array(gzipSync(bytes));
      this.#files.set(name, { type, bytes, compressed, version: versionOf(bytes) });
    }
    for (const name of namesIn(pictures)) {
      if (!name.endsWith(".png")) continue;
      const bytes = Deno.readFileSync(new URL(name, pictures));
      this.#files.set(`images/${name}`, {
        type: "image/png",
        bytes,
        compressed: null,
        version: versionOf(bytes),
      });
    }
  }

  /** Returns the path of a file with its version. A path that a proxy puts in front is not included. */
  path(name: string): string {
    return `/assets/${name}?v=${this.#files.get(name)!.version}`;
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  addTo(app: App): void {
    for (const [name, { type, bytes, compressed, version }] of this.#files) {
      app.get(`/assets/${name}`, (c) => {
        const acceptsGzip = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
        const sent = acceptsGzip && compressed !== null ? compressed : bytes;
        const isCurrent = c.req.query("v") === version;
        return new Response(sent, {
          headers: {
            "Content-Type": type,
            "Cache-Control": isCurrent ? "public, max-age=31536000, immutable" : "no-cache",
            "Vary": "Accept-Encoding",
            ...sent === compressed ? { "Content-Encoding": "gzip" } : {},
          },
        });
      });
    }
  }
}

function versionOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 12);
}

/** Returns the names in a folder. An installation without documentation has no such folder: returns none. */
function namesIn(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Returns the address of a file of this folder, or of a package. */
function locate(part: string): URL {
  return part.startsWith("./") ? new URL(part, import.meta.url) : new URL(import.meta.resolve(part));
}

/** Removes the reference to a source map: browsers would look for it at this host. */
function withoutSourceMap(text: string): string {
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
}
