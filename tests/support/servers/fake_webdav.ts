/**
 * A WebDAV server in memory, whose responses a test can change. Its uploads in chunks behave like
 * Nextcloud's. Nextcloud itself needs PHP and a database, and cannot run in the tests.
 */
export class FakeWebdav implements AsyncDisposable {
  /** Contents of the files, by path. The path of a directory ends with a slash. */
  readonly files = new Map<string, Uint8Array>();
  readonly calls: { method: string; path: string; headers: Headers; length: number }[] = [];
  /**
   * Called before the server handles a request. If it returns a response, the server sends this response and
   * does not handle the request. If it returns null, the server handles the request.
   */
  fault: (request: Request, path: string) => Response | null | Promise<Response | null> = () => null;
  /** Called after the server handled a request. Returns the response to send in place of the server's. */
  change: (response: Response, request: Request) => Response | Promise<Response> = (response) => response;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param root Path of a directory. At first, only this directory and its parents exist. */
  constructor(readonly root: string) {
    const parts = root.split("/").filter((part) => part !== "");
    for (let count = 0; count <= parts.length; count++) {
      this.files.set(["", ...parts.slice(0, count), ""].join("/"), new Uint8Array(0));
    }
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#handle(request),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}${this.root}`;
  }

  /** Returns the paths of the files below the root, without directories. */
  names(): string[] {
    return [...this.files.keys()].filter((path) => !path.endsWith("/")).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #handle(request: Request): Promise<Response> {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const fault = await this.fault(request, path);
    if (fault !== null) return fault;
    const body = await request.bytes();
    const { method, headers } = request;
    this.calls.push({ method, path, headers, length: body.length });
    return await this.change(this.#answer(request, path, body), request);
  }

  #answer({ method, headers }: Request, path: string, body: Uint8Array): Response {
    const status = (status: number) => new Response(null, { status });
    switch (method) {
      case "PROPFIND":
        return this.#list(path, headers.get("depth")!);
      case "MKCOL":
        if (this.files.has(path)) return status(405);
        this.files.set(path, body);
        return status(201);
      case "PUT":
        if (!this.files.has(path.slice(0, path.lastIndexOf("/") + 1))) return status(409);
        this.files.set(path, body);
        return status(201);
      case "DELETE": {
        const found = [...this.files.keys()].filter((each) => each === path || each.startsWith(`${path}/`));
        const inside = path.endsWith("/")
          ? [...this.files.keys()].filter((each) => each.startsWith(path))
          : [];
        for (const each of [...found, ...inside]) this.files.delete(each);
        return status(found.length + inside.length > 0 ? 204 : 404);
      }
      case "MOVE": {
        const target = decodeURIComponent(new URL(headers.get("destination")!).pathname);
        if (this.files.has(target) && headers.get("overwrite") === "F") return status(412);
        const content = this.#take(path);
        if (content === null) return status(404);
        this.files.set(target, content);
        return status(201);
      }
      default: {
        const content = this.files.get(path);
        if (content === undefined) return status(404);
        const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.get("range") ?? "")!;
        const total = content.length;
        if (Number(from) >= total) {
          return new Response(null, { status: 416, headers: { "content-range": `bytes */${total}` } });
        }
        const part = content.slice(Number(from), Number(to) + 1);
        const range = `bytes ${from}-${Number(from) + part.length - 1}/${total}`;
        return new Response(part, { status: 206, headers: { "content-range": range } });
      }
    }
  }

  /**
   * Removes a file and returns its bytes. A path that ends with `/.file` stands for a directory of chunks.
   * For such a path, removes the directory with its chunks, and returns the joined bytes of the chunks.
   */
  #take(path: string): Uint8Array | null {
    if (!path.endsWith("/.file")) {
      const content = this.files.get(path) ?? null;
      this.files.delete(path);
      return content;
    }
    const directory = path.slice(0, -".file".length);
    const chunks = [...this.files.keys()].filter((each) => each.startsWith(directory) && each !== directory)
      .sort();
    if (!this.files.delete(directory)) return null;
    const pieces = chunks.map((each) => this.files.get(each)!);
    for (const each of chunks) this.files.delete(each);
    const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #list(path: string, depth: string): Response {
    if (!this.files.has(path)) return new Response(null, { status: 404 });
    const inside = [...this.files.keys()].filter((each) =>
      each !== path && each.startsWith(path) && !each.slice(path.length, -1).includes("/")
    );
    const entries = [path, ...depth === "1" ? inside : []].map((each) =>
      `<x:response><x:href>${encodeURI(each)}</x:href><x:propstat><x:prop>${
        each.endsWith("/")
          ? "<x:resourcetype><x:collection/></x:resourcetype>"
          : `<x:resourcetype/><x:getcontentlength>${this.files.get(each)!.length}</x:getcontentlength>`
      }</x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat><x:propstat><x:prop>
      <x:getcontentlength>7</x:getcontentlength></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat>
      </x:response>`
    );
    const document = `<?xml version="1.0"?><x:multistatus xmlns:x="DAV:">${entries.join("")}</x:multistatus>`;
    return new Response(document, { status: 207, headers: { "content-type": "application/xml" } });
  }
}
