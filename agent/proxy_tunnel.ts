/**
 * Connects a websocket without TLS through an HTTP proxy by a tunnel (`CONNECT`), as browsers do. The tunnel
 * carries the websocket's upgrade request to the target. Without it, Deno would send the upgrade to the proxy
 * as a plain request, and the proxy would respond without upgrading.
 */
import { BlockList, isIP } from "node:net";

const HEAD_LIMIT = 16 * 1024;
const ANSWER_TIMEOUT = 15_000;

/**
 * Returns the proxy that the environment variables name for an `http:` URL; null if the connection is direct.
 */
export function httpProxyOf(url: URL, environment: (name: string) => string | undefined): URL | null {
  if (url.protocol !== "http:") return null;
  const named = (name: string) => environment(name.toLowerCase()) || environment(name) || "";
  const proxy = named("HTTP_PROXY") || named("ALL_PROXY");
  if (proxy === "" || isExcluded(url, named("NO_PROXY"))) return null;
  const parsed = URL.parse(/^[a-z0-9]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`);
  return parsed?.protocol === "http:" ? parsed : null;
}

/** Returns whether `NO_PROXY` lists the host. Entries are a name, a domain, an address, a network, or `*`. */
function isExcluded({ hostname, port }: URL, list: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return list.split(",").map((entry) => entry.trim().toLowerCase()).filter((entry) => entry !== "").some(
    (entry) => {
      if (entry === "*") return true;
      const [network, prefix] = entry.split("/");
      if (prefix !== undefined) return isIP(host) !== 0 && isWithin(host, network!, Number(prefix));
      const [name, excludedPort] = isIP(entry) === 6 ? [entry] : entry.split(":");
      if (excludedPort !== undefined && excludedPort !== (port || "80")) return false;
      const domain = name!.replace(/^\*?\./, "");
      return host === domain || host.endsWith(`.${domain}`);
    },
  );
}

function isWithin(address: string, network: string, prefix: number): boolean {
  const family = isIP(network) === 6 ? "ipv6" : "ipv4";
  try {
    const list = new BlockList();
    list.addSubnet(network, prefix, family);
    return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  } catch {
    // An invalid network in the list excludes no host.
    return false;
  }
}

export class ProxyTunnel implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  /** The reason why the tunnel failed; null if it has not failed. */
  refusal: string | null = null;

  /** @param target The `host:port` to reach through the proxy. */
  constructor(private readonly proxy: URL, private readonly target: string) {
    void this.#carry();
  }

  /** The tunnel's local `host:port`. The tunnel accepts one connection and forwards it to the target. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  [Symbol.dispose](): void {
    try {
      this.#listener.close();
    } catch (error) {
      // BadResource: the listener was closed after its first connection.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #carry(): Promise<void> {
    let from: Deno.Conn;
    try {
      from = await this.#listener.accept();
    } catch (error) {
      // The listener was closed before a connection came.
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      throw error;
    }
    this[Symbol.dispose]();
    try {
      const to = await this.#connect();
      const directions = [from.readable.pipeTo(to.writable), to.readable.pipeTo(from.writable)];
      await Promise.race(directions.map((one) => one.catch(() => {})));
      for (const end of [from, to]) closeQuietly(end);
      await Promise.allSettled(directions);
    } catch (error) {
      this.refusal = (error as Error).message;
      closeQuietly(from);
    }
  }

  /** Opens the tunnel and returns its connection. Rejects with the proxy's answer if the proxy refuses. */
  async #connect(): Promise<Deno.Conn> {
    const { hostname, port, username, password } = this.proxy;
    const proxyName = `the proxy ${this.proxy.host}`;
    let connection: Deno.Conn;
    try {
      connection = await Deno.connect({
        hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
        port: Number(port || 80),
      });
    } catch (cause) {
      throw new Error(`${proxyName} can't be reached`, { cause });
    }
    const timer = setTimeout(() => closeQuietly(connection), ANSWER_TIMEOUT);
    try {
      const login = username === ""
        ? ""
        : `Proxy-Authorization: Basic ${
          btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)
        }\r\n`;
      const request = `CONNECT ${this.target} HTTP/1.1\r\nHost: ${this.target}\r\n${login}\r\n`;
      await connection.write(new TextEncoder().encode(request));
      const status = /^HTTP\/1\.\d (\d{3})/.exec(await readHead(connection))?.[1];
      if (status !== undefined && status.startsWith("2")) return connection;
      closeQuietly(connection);
      throw new Error(
        `${proxyName} answers ${
          status ?? "no HTTP"
        } to a tunnel (CONNECT) to ${this.target}. Let it carry that, reach the ` +
          "control plane by https, or name its host in NO_PROXY",
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Returns the head of an HTTP response, up to the empty line. Reads single bytes, because the bytes after the
 * head belong to the tunnelled stream.
 */
async function readHead(connection: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let head = "";
  while (!head.endsWith("\r\n\r\n") && head.length < HEAD_LIMIT) {
    if (await connection.read(byte).catch(() => null) === null) break;
    head += String.fromCharCode(byte[0]!);
  }
  return head;
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
