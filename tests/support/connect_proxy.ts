/** An HTTP proxy that tunnels (`CONNECT`) to this machine, whatever host is asked for, and remembers what was. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class ConnectProxy implements AsyncDisposable {
  /** `host:port`, in order. */
  readonly asked: string[] = [];
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

  #tunnel(client: Socket): void {
    client.once("data", (head) => {
      const [, place, port] = /^CONNECT (\S+:(\d+)) HTTP/.exec(head.toString("latin1"))!;
      this.asked.push(place!);
      const server = connect(Number(port), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(server).pipe(client);
      });
      this.#watch(server, client);
    });
    this.#watch(client, client);
  }

  #watch(socket: Socket, other: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => other.destroy());
    socket.on("close", () => this.#open.delete(socket));
  }
}
