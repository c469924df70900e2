/**
 * OpenID Connect providers on this machine. One is real: the package oidc-provider. The other answers as a
 * test wants. Its answers are valid until the test changes them.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

/** A person who can log in at a provider. */
export interface Person {
  readonly sub: string;
  readonly email: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly groups?: readonly string[];
}

export const CLIENT = { id: "rearguard", secret: "a-secret-that-both-of-them-know" } as const;

/** A real provider. `people` contains the people who have accounts there, by their `sub`. */
export interface RealProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly people: Map<string, Person>;
}

/** Starts a real provider that sends browsers back to `redirectUri`. */
export async function realProvider(redirectUri: string): Promise<RealProvider> {
  const people = new Map<string, Person>();
  // deno-lint-ignore prefer-const
  let handle: (request: unknown, response: unknown) => void;
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "client_secret_post",
    }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    cookies: { keys: ["a key for this test"] },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ ...people.get(sub) }),
    }),
  });
  handle = provider.callback();
  return {
    issuer,
    people,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A person's browser at the provider, with cookies. */
export class ProviderBrowser {
  readonly #cookies = new Map<string, string>();

  /**
   * Opens the address to which the control plane has sent the browser. Logs in as `sub` if the provider asks
   * for a log-in. Gives every consent that the provider asks for. Returns the address to which the provider
   * sends the browser back.
   */
  async logIn(address: string, sub: string): Promise<URL> {
    const { origin } = new URL(address);
    let at = new URL(address);
    for (let hops = 0; hops < 20; hops++) {
      if (at.origin !== origin) return at;
      const page = await this.#request(at);
      at = page.next ?? await this.#submit(at, page.text, sub);
    }
    throw new Error(`The provider does not come to an end: ${at}`);
  }

  async #submit(at: URL, page: string, sub: string): Promise<URL> {
    const action = /action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`The provider shows ${page}`);
    const fields = new URLSearchParams({
      prompt,
      ...prompt === "login" ? { login: sub, password: "any" } : {},
    });
    const { next, text } = await this.#request(new URL(action, at), fields);
    if (next === null) throw new Error(`The provider shows ${text}`);
    return next;
  }

  async #request(url: URL, body?: URLSearchParams): Promise<{ next: URL | null; text: string }> {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      body,
      redirect: "manual",
      headers: { Cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name!);
      else this.#cookies.set(name!, value!);
    }
    const location = response.headers.get("location");
    return { next: location === null ? null : new URL(location, url), text: await response.text() };
  }
}

type Json = Record<string, unknown>;

/**
 * A provider whose responses a test can change. It always logs in the same person, without asking who it is.
 */
export class LyingProvider implements AsyncDisposable {
  /**
   * The claims of the ID token. They replace the valid claims. A claim with the value undefined is left out.
   */
  claims: Json = {};
  /** The header of the ID token. */
  header: Json = { alg: "RS256", kid: "k" };
  /** Parts of the provider's description that replace the valid ones. */
  description: Json = {};
  /** Changes the signed ID token. */
  forge: (token: string) => string = (token) => token;
  /**
   * Returns a response that replaces the provider's own response to a request. If it returns null, the
   * provider's own response is sent.
   */
  answer: (url: URL) => Response | Promise<Response> | null = () => null;
  readonly requested: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();

  private constructor(readonly keys: CryptoKeyPair) {
    const { signal } = this.#stop;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, signal, onListen() {} }, (request) => {
      const url = new URL(request.url);
      this.requested.push(url.pathname);
      return this.answer(url) ?? this.#answer(url, request);
    });
  }

  static async start(): Promise<LyingProvider> {
    return new LyingProvider(await newKeys());
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Logs the person in at once: returns the address to which the browser is sent back. */
  logIn(address: string): URL {
    const { searchParams } = new URL(address);
    const back = new URL(searchParams.get("redirect_uri")!);
    back.search = new URLSearchParams({
      code: searchParams.get("nonce")!,
      state: searchParams.get("state")!,
    }).toString();
    return back;
  }

  async #answer({ pathname }: URL, request: Request): Promise<Response> {
    if (pathname === "/.well-known/openid-configuration") {
      return Response.json({
        issuer: this.issuer,
        authorization_endpoint: `${this.issuer}/authorize`,
        token_endpoint: `${this.issuer}/token`,
        jwks_uri: `${this.issuer}/keys`,
        id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
        response_types_supported: ["code"],
        subject_types_supported: ["public"],
        ...this.description,
      });
    }
    if (pathname === "/keys") {
      const key = await crypto.subtle.exportKey("jwk", this.keys.publicKey);
      return Response.json({ keys: [{ ...key, kid: "k", use: "sig", alg: "RS256" }] });
    }
    const nonce = (await request.formData()).get("code");
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: CLIENT.id,
      sub: "ada",
      nonce,
      iat: now,
      exp: now + 60,
      auth_time: now,
      email: "ada@example.test",
      email_verified: true,
      ...this.claims,
    };
    const token = this.forge(await sign(this.keys.privateKey, this.header, claims));
    return Response.json({ access_token: "at", token_type: "Bearer", id_token: token });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(); // unlike a shutdown, does not wait for answers that never come
    await this.#server.finished;
  }
}

/** Returns a new pair of keys for RS256. */
export function newKeys(): Promise<CryptoKeyPair> {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256",
  };
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** Returns a JWT with this header and these claims, signed with RS256. */
export async function sign(key: CryptoKey, header: Json, claims: Json): Promise<string> {
  const signed = `${encode(header)}.${encode(claims)}`;
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, new TextEncoder().encode(signed));
  return `${signed}.${new Uint8Array(signature).toBase64({ alphabet: "base64url", omitPadding: true })}`;
}

function encode(part: Json): string {
  const bytes = new TextEncoder().encode(JSON.stringify(part));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
