/** Calls the public API as a script would. */
import {
  type ApiClient,
  apiClient,
  type Body,
  type PathOf,
  type Schema,
} from "../../../src/client/client.ts";

type Log = Schema<"BackupTaskLog">;

/** Paths below `/api` with which records are created. */
type Created = { [P in PathOf<"post">]: P extends `/api${infer Path}` ? Path : never }[PathOf<"post">];

/** Any values of known fields. Tests also send values that the API refuses. */
type Fields<B> = { readonly [Name in keyof B]?: unknown };

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
  /**
   * The typed client. Tests that take paths and bodies from data use {@link call} instead: it sends any
   * request.
   */
  readonly client: ApiClient;

  constructor(readonly url: string, readonly token: string) {
    this.client = apiClient({ baseUrl: url, headers: { authorization: `Bearer ${token}` } });
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async create<P extends Created>(path: P, body: Fields<Body<`/api${P}`>>): Promise<number> {
    const answer = await this.call("POST", path, body);
    if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.data.id;
  }

  /** Runs a task and waits for its end. Returns the run's log. */
  async run(taskId: number): Promise<Log> {
    const { error } = await this.client.POST("/api/backup-tasks/{id}/run", {
      params: { path: { id: taskId } },
    });
    if (error !== undefined) throw new Error(`run: ${JSON.stringify(error)}`);
    return await this.finished(taskId);
  }

  /** Follows the stream of the task's newest run until the run ends. Returns the run's log. */
  async finished(taskId: number): Promise<Log> {
    for await (const event of this.stream(taskId)) {
      if (event.event === "finished") break;
    }
    const params = { path: { id: taskId } };
    return (await this.client.GET("/api/backup-tasks/{id}/latest-log", { params })).data!.data;
  }

  /** Requests a run of any type with a POST request, and waits for its end. Returns the run's log. */
  async carryOut(path: string, body?: unknown): Promise<Log> {
    const { status, body: answer } = await this.call("POST", path, body);
    if (status !== 202) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`);
    const id: number = answer.backup_task_log_id;
    for await (const event of this.events(`/backup-task-logs/${id}/stream`)) {
      if (event.event === "finished") break;
    }
    return (await this.client.GET("/api/backup-task-logs/{id}", { params: { path: { id } } })).data!.data;
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
