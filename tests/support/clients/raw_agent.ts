/** An agent's websocket that sends any message that a test wants, in any order. */
import { PROTOCOL_MIN, PROTOCOL_VERSION } from "../../../src/protocol/version.ts";
import { AGENT } from "../fixtures/planted.ts";
import { until } from "../assertions/until.ts";

export const HELLO = {
  type: "hello",
  protocol: { min: PROTOCOL_MIN, max: PROTOCOL_VERSION },
  agent: AGENT,
  runs: [],
};

// deno-lint-ignore no-explicit-any
type Message = any;

export class RawAgent implements Disposable {
  readonly received: Message[] = [];
  /**
   * Whether pings are answered. If false, the socket is silent, as if the machine or the network had failed.
   */
  answersPings = true;
  /** Resolves with the close code when the socket is closed. */
  readonly closed: Promise<number>;
  #questions = 0;

  private constructor(private readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.received.push(message);
      if (message.type === "ping" && this.answersPings) this.send({ type: "pong" });
    };
    socket.onerror = () => {};
    this.closed = new Promise((resolve) => socket.onclose = ({ code }) => resolve(code));
  }

  /** Opens a socket and sends nothing. Rejects if the socket cannot be opened. */
  static async open(url: string, key: string): Promise<RawAgent> {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/api/agent/connect`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error("The socket was not opened"));
    await opened.promise;
    return new RawAgent(socket);
  }

  /** Opens a socket, sends a hello and waits for the welcome. */
  static async connect(url: string, key: string, hello: Message = HELLO): Promise<RawAgent> {
    const agent = await RawAgent.open(url, key);
    agent.send(hello);
    await agent.next("welcome");
    return agent;
  }

  /** Sends an object as JSON, and a text or bytes unchanged. */
  send(message: Message): void {
    const isRaw = typeof message === "string" || message instanceof Uint8Array;
    this.socket.send(isRaw ? message : JSON.stringify(message));
  }

  /**
   * Resolves with the first message of this type for which `fits` returns true. The message might have
   * arrived already.
   */
  async next(type: string, fits: (message: Message) => boolean = () => true): Promise<Message> {
    const found = () => this.received.find((message) => message.type === type && fits(message));
    await until(() => found() !== undefined || this.socket.readyState === WebSocket.CLOSED);
    if (found() === undefined) throw new Error(`The socket was closed before a ${type} came`);
    return found();
  }

  /** Sends a request about an upload or a download. Returns the response. */
  async ask(question: Message): Promise<Message> {
    const request_id = `question ${++this.#questions}`;
    this.send({ ...question, request_id });
    const answers = () => this.received.find((message) => message.request_id === request_id);
    await until(() => answers() !== undefined || this.socket.readyState === WebSocket.CLOSED);
    if (answers() === undefined) throw new Error("The socket was closed before an answer came");
    return answers();
  }

  /**
   * Sends a request to find out whether the socket is still open. Returns null if the control plane responds.
   * Returns the close code if the control plane closes the socket instead.
   */
  async end(): Promise<number | null> {
    return await this.ask({ type: "upload.abort", upload_id: "x" }).then(() => null, () => this.closed);
  }

  /** Sends an event. Resolves once the control plane has acknowledged the event. */
  async tell(run: { run_id: number; attempt: number }, sequence: number, event: Message): Promise<void> {
    const { run_id, attempt } = run;
    this.send({ type: "run.event", run_id, attempt, sequence, at: "2026-01-01T00:00:00.000Z", event });
    await this.next(
      "ack",
      (ack) => ack.run_id === run_id && ack.attempt === attempt && ack.sequence >= sequence,
    );
  }

  [Symbol.dispose](): void {
    this.socket.close();
  }
}
