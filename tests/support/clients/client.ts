/** Calls the public API as a script would. */
export interface Answer {
  status: number;
  // deno-lint-ignore no-explicit-any
  body: any;
}

export interface StreamOptions {
  lastEventId?: string;
  signal?: AbortSignal;
}

export interface StreamedEvent {
  event: string;
  id: string;
  data: string;
}

export class ApiCaller {
  constructor(readonly url: string, readonly token: string) {}

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async create(path: string, body: unknown): Promise<number> {
    const answer = await this.call("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.data.id;
  }

  /** Runs a task and waits for its end. Returns the run's log. */
  async run(taskId: number): Promise<Answer["body"]> {
    const { status, body } = await this.call("POST", `/backup-tasks/${taskId}/run`);
    if (status !== 202) throw new Error(`run: ${status} ${JSON.stringify(body)}`);
    return await this.finished(taskId);
  }

  /** Follows the stream of the task's newest run until the run ends. Returns the run's log. */
  async finished(taskId: number): Promise<Answer["body"]> {
    for await (const event of this.stream(taskId)) {
      if (event.event === "finished") break;
    }
    return (await this.call("GET", `/backup-tasks/${taskId}/latest-log`)).body.data;
  }

  /** Requests a run of any type with a POST request, and waits for its end. Returns the run's log. */
  async carryOut(path: string, body?: unknown): Promise<Answer["body"]> {
    const { status, body: answer } = await this.call("POST", path, body);
    if (status !== 202) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
    const log = `/backup-task-logs/${answer.backup_task_log_id}`;
    for await (const event of this.events(`${log}/stream`)) if (event.event === "finished") break;
    return (await this.call("GET", log)).body.data;
  }

  /** Yields the events of a task's latest log until the server ends the stream, or the signal aborts. */
  stream(taskId: number, options: StreamOptions = {}): AsyncGenerator<StreamedEvent> {
    return this.events(`/backup-tasks/${taskId}/latest-log/stream`, options);
  }

  async *events(path: string, options: StreamOptions = {}): AsyncGenerator<StreamedEvent> {
    const response = await fetch(`${this.url}/api${path}`, {
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(options.lastEventId === undefined ? {} : { "last-event-id": options.lastEventId }),
      },
      signal: options.signal ?? null,
    });
    if (response.status !== 200) throw new Error(`stream: ${response.status} ${await response.text()}`);
    let text = "";
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      text += piece;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const event = { event: "message", id: "", data: "" };
        const data: string[] = [];
        for (const line of text.slice(0, end).split("\n")) {
          const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
          if (name === "event") event.event = value!;
          if (name === "id") event.id = value!;
          if (name === "data") data.push(value!);
        }
        text = text.slice(end + 2);
        if (data.length > 0) yield { ...event, data: data.join("\n") };
      }
    }
  }
}
