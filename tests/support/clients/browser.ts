/** Calls the API as a page in a browser does, with cookies and the headers that name the page's origin. */
import type { TestApi } from "./api.ts";

export interface BrowserAnswer {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any
  body: any;
}

export class Browser {
  readonly cookies = new Map<string, string>();
  /** The CSRF token of the session; empty before a log-in. */
  csrf = "";

  constructor(
    readonly app: TestApi["app"],
    readonly options: { origin?: string; address?: string } = {},
  ) {}

  get origin(): string {
    return this.options.origin ?? "http://localhost";
  }

  /** Sends a request. `body` is sent as JSON. `headers` replace the browser's headers of the same names. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<BrowserAnswer> {
    return await this.send(method, path, body === undefined ? undefined : JSON.stringify(body), {
      ...body === undefined ? {} : { "Content-Type": "application/json" },
      ...this.csrf === "" ? {} : { "X-CSRF-Token": this.csrf },
      ...headers,
    });
  }

  async submit(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    return await this.send("POST", path, new URLSearchParams(fields).toString(), {
      "Content-Type": "application/x-www-form-urlencoded",
      ...headers,
    });
  }

  async logIn(email: string, password: string): Promise<BrowserAnswer> {
    const answer = await this.call("POST", "/api/login", { email, password });
    if (answer.status === 200) this.csrf = answer.body.data.csrf_token;
    return answer;
  }

  async send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string>,
  ): Promise<BrowserAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await this.app.request(`${this.origin}${path}`, {
      method,
      body,
      headers: {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Sec-Fetch-Site": "same-origin",
        ...method === "GET" ? {} : { Origin: this.origin },
        ...cookie === "" ? {} : { Cookie: cookie },
        ...headers,
      },
    }, { remoteAddress: this.options.address ?? "192.0.2.1" });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : null,
    };
  }

  #keep(line: string): void {
    const [pair, ...attributes] = line.split("; ");
    const [name, value] = pair!.split("=") as [string, string];
    if (attributes.includes("Max-Age=0")) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
