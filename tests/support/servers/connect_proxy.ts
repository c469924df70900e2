/**
 * An HTTP proxy that resolves every host name to this machine, and records the requests. Like most proxies,
 * it does not support `Upgrade`.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class ConnectProxy implements AsyncDisposable {
  /** The `host:port` of each requested tunnel (`CONNECT`), in order. */
  readonly asked: string[] = [];
  /** The response with which the proxy refuses requests for a tunnel; null if the proxy opens tunnels. */
  refusal: string | null = null;
  readonly #open = new Set<Socket>();

  private constructor(readonly url: string, private readonly server: Server) {}

  static async open(): Promise<ConnectProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new ConnectProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
    server.on("connection", (client) => proxy.#tunnel(client));
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  drop(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #tunnel(client: Socket): void {
    client.once("data", (head) => {
      const text = head.toString("latin1");
      const [, place, port] = /^CONNECT (\S+:(\d+)) HTTP/.exec(text) ?? [];
      if (place === undefined) return this.#forward(client, text, head);
      this.asked.push(place);
      if (this.refusal !== null) return void client.end(`HTTP/1.1 ${this.refusal}\r\n\r\n`);
      const server = connect(Number(port), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(server).pipe(client);
      });
      this.#watch(server, client);
    });
    this.#watch(client, client);
  }

  /** Forwards a plain HTTP request. The first line of such a request contains the host. */
  #forward(client: Socket, text: string, head: Uint8Array): void {
    if (/^upgrade:/im.test(text)) return void client.end("HTTP/1.1 400 Bad Request\r\n\r\n");
    const port = /^\w+ http:\/\/[^/]+:(\d+)/.exec(text)![1];
    const server = connect(Number(port), "127.0.0.1", () => {
      server.write(head);
      client.pipe(server).pipe(client);
    });
    this.#watch(server, client);
  }

  #watch(socket: Socket, other: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => this.#open.delete(socket));
  }
}
