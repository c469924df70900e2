/**
 * Servers that receive notifications: an HTTP server and a mail server. They record messages, and respond as
 * a test wants.
 */
import { SMTPServer } from "smtp-server";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

export class HttpReceiver implements AsyncDisposable {
  readonly received: ReceivedRequest[] = [];
  /** Returns the response to each request. A test can replace this function. */
  answer: (request: ReceivedRequest) => Response | Promise<Response> = () => new Response("ok");
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (raw) => {
      const { pathname, searchParams } = new URL(raw.url);
      const isText = raw.headers.get("content-type")?.startsWith("text/plain");
      const request = {
        method: raw.method,
        path: pathname,
        query: searchParams,
        headers: raw.headers,
        body: raw.method !== "POST" ? null : await (isText ? raw.text() : raw.json()),
      };
      this.received.push(request);
      return await this.answer(request);
    });
  }

  /** The server's URL, without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: string;
  /** The message's decoded text. */
  readonly text: string;
}

export class MailReceiver implements AsyncDisposable {
  readonly received: ReceivedMail[] = [];
  /** The response that refuses every message; null if messages are accepted. */
  refusal: { code: number; message: string } | null = null;
  /** Addresses that the server refuses, as if they had no mailbox. */
  readonly refusedRecipients: string[] = [];
  readonly #server: SMTPServer;
  #port = 0;

  private constructor(login: { user: string; password: string } | null) {
    this.#server = new SMTPServer({
      disabledCommands: ["STARTTLS", ...(login === null ? ["AUTH"] : [])],
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        username === login?.user && password === login?.password
          ? done(null, { user: username })
          : done(Object.assign(new Error(`${username} and ${password} do not fit`), { responseCode: 535 })),
      onRcptTo: ({ address }, _session, done) =>
        this.refusedRecipients.includes(address)
          ? done(Object.assign(new Error("No such user"), { responseCode: 550 }))
          : done(),
      onData: async (stream, { envelope }, done) => {
        let raw = "";
        for await (const chunk of stream) raw += chunk;
        if (this.refusal !== null) {
          return done(Object.assign(new Error(this.refusal.message), { responseCode: this.refusal.code }));
        }
        const [headers, ...body] = raw.split("\r\n\r\n");
        this.received.push({
          from: envelope.mailFrom === false ? "" : envelope.mailFrom.address,
          to: envelope.rcptTo.map(({ address }) => address),
          headers: headers!.replaceAll(/\r\n\s+/g, " "),
          text: decode(headers!, body.join("\r\n\r\n")),
        });
        done();
      },
    });
    // A client that breaks off its connection must not fail the test.
    this.#server.on("error", () => {});
  }

  static async open(login: { user: string; password: string } | null = null): Promise<MailReceiver> {
    const receiver = new MailReceiver(login);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    receiver.#port = (receiver.#server.server.address() as { port: number }).port;
    return receiver;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}

function decode(headers: string, body: string): string {
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(headers)?.[1]?.toLowerCase();
  const bytes = encoding === "base64"
    ? atob(body.replaceAll(/\s/g, ""))
    : encoding === "quoted-printable"
    ? body.replaceAll(/=\r?\n/g, "").replaceAll(
      /=([0-9A-F]{2})/g,
      (_, hex) => String.fromCharCode(parseInt(hex, 16)),
    )
    : body;
  return new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))).replaceAll("\r\n", "\n");
}
