/**
 * A proxy between an agent and its control plane. It passes everything on and recognizes each websocket
 * frame. It can cut, delay, duplicate or half-close a connection at any step of the protocol.
 */
import { systemClock } from "../../src/domain/clock.ts";
import { concatenate, type Frame, FrameSplitter } from "./frames.ts";
import type { FrameAction } from "./plan.ts";

export type Side = "before" | "after";

/**
 * Called before and after each frame is passed on. The proxy awaits the result: the actions to apply to the
 * connection.
 */
export type Watcher = (frame: Frame, side: Side) => Promise<readonly FrameAction[]>;

export class Wire implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Connection>();
  readonly #carried = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  /** @param port The port of the control planes on 127.0.0.1. */
  constructor(private readonly port: number, private readonly watch: Watcher) {
    this.#accepting = this.#accept();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Immediately passes on all delayed frames, and ends half-closed connections. */
  heal(): void {
    for (const connection of this.#connections) connection.heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) connection.cut();
    await this.#accepting;
    await Promise.all(this.#carried);
  }

  async #accept(): Promise<void> {
    for await (const agent of this.#listener) {
      const plane = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
      const connection = new Connection(agent, plane, this.watch);
      this.#connections.add(connection);
      const carried = connection.carry().finally(() => {
        this.#connections.delete(connection);
        this.#carried.delete(carried);
      });
      this.#carried.add(carried);
    }
  }
}

class Connection {
  #isWebsocket = false;
  #isHalfClosed = false;
  #healed = new AbortController();

  constructor(
    private readonly agent: Deno.TcpConn,
    private readonly plane: Deno.TcpConn,
    private readonly watch: Watcher,
  ) {}

  /** Passes bytes on in both directions of the connection. Resolves when both directions have ended. */
  async carry(): Promise<void> {
    await Promise.all([
      this.#pass(this.agent, this.plane, (head) => {
        this.#isWebsocket = /^upgrade: *websocket/im.test(head);
      }),
      this.#pass(this.plane, this.agent, (head) => {
        this.#isWebsocket &&= head.startsWith("HTTP/1.1 101");
        if (this.#isWebsocket && /^sec-websocket-extensions/im.test(head)) {
          throw new Error("Cannot read frames: they are compressed");
        }
      }),
    ]);
    this.cut();
  }

  cut(): void {
    this.#healed.abort();
    for (const end of [this.agent, this.plane]) closeQuietly(end);
  }

  heal(): void {
    this.#healed.abort();
    this.#healed = new AbortController();
    if (this.#isHalfClosed) this.cut();
  }

  /** Waits until `ms` milliseconds have passed, or until the connection is repaired. */
  async #wait(ms: number): Promise<void> {
    await systemClock.sleep(ms, this.#healed.signal).catch(() => {});
  }

  /**
   * Passes on one direction of a connection: the HTTP head, then websocket frames. On a connection without
   * websocket, passes on plain bytes.
   */
  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, readHead: (head: string) => void): Promise<void> {
    const splitter = new FrameSplitter();
    let head: Uint8Array<ArrayBuffer> | null = new Uint8Array(0);
    try {
      for await (const chunk of chunksOf(from)) {
        let rest: Uint8Array = chunk;
        if (head !== null) {
          head = concatenate(head, chunk);
          const text = new TextDecoder("latin1").decode(head);
          const end = text.indexOf("\r\n\r\n");
          if (end === -1) continue;
          readHead(text.slice(0, end));
          await write(to, head.subarray(0, end + 4));
          rest = head.subarray(end + 4);
          head = null;
        }
        if (!this.#isWebsocket) await write(to, rest);
        else for (const frame of splitter.push(rest)) await this.#passFrame(frame, to);
      }
      await to.closeWrite();
    } catch (error) {
      if (!isGone(error)) throw error;
      this.cut();
    }
  }

  async #passFrame(frame: Frame, to: Deno.TcpConn): Promise<void> {
    await this.#apply(await this.watch(frame, "before"), "before", frame, to);
    await write(to, frame.bytes);
    await this.#apply(await this.watch(frame, "after"), "after", frame, to);
  }

  async #apply(actions: readonly FrameAction[], side: Side, frame: Frame, to: Deno.TcpConn): Promise<void> {
    for (const action of actions) {
      switch (action.type) {
        case "cut":
          this.cut();
          break;
        case "half-close":
          this.#isHalfClosed = true;
          await to.closeWrite();
          break;
        case "duplicate":
          if (side === "after") await this.#wait(action.apart);
          await write(to, frame.bytes);
          if (side === "before") await this.#wait(action.apart);
          break;
        case "delay":
          await this.#wait(action.ms);
      }
    }
  }
}

async function* chunksOf(connection: Deno.TcpConn): AsyncIterable<Uint8Array> {
  const buffer = new Uint8Array(64 * 1024);
  for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
    yield buffer.slice(0, count);
  }
}

async function write(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Returns whether an error means that one side has closed the connection. */
export function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted;
}

export function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
