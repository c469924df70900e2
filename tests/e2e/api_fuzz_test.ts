/**
 * Sends every endpoint valid and invalid requests, generated from the API document. Asserts:
 * - No request causes an internal error.
 * - Only successful requests change the state.
 * - No secret is returned.
 * - Every response is documented.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ZodType } from "zod";
import { ABILITIES } from "../../src/domain/abilities.ts";
import { Hub } from "../../src/agents/hub.ts";
import { AddressPolicy } from "../../src/network/address_policy.ts";
import { Network, type Resolve } from "../../src/network/network.ts";
import { Notifier } from "../../src/notify/notifier.ts";
import { ERROR_TITLES } from "../../src/http/errors.ts";
import { report, runs } from "../support/fuzz.ts";
import { type ApiClient, type TestApi, testApi } from "../support/clients/api.ts";
import {
  DOCUMENTED,
  type Documented,
  encodeBody,
  type GeneratedRequest,
  requestGenerator,
} from "../support/fixtures/generated_requests.ts";
import { watchChanges } from "../support/assertions/changes.ts";
import { CANARY, type Json, mutate } from "../support/fixtures/json_schema.ts";
import {
  newBackup,
  newDestination,
  newPasskey,
  newRun,
  newServer,
  newSession,
  newTask,
} from "../support/fixtures/records.ts";

/** The number of requests after which the test starts a new database, so that lists stay short. */
const PER_DATABASE = 2500;
/** The number of requests after which missing records are created again. */
const PER_LOOK = 40;
/** Text in every text field of another user's records. A response to the caller must not contain it. */
const OTHERS = "others-9c1e";

const TABLES: Readonly<Record<string, string>> = {
  "Backup task": "backup_tasks",
  "Backup task log": "runs",
  "Backup": "backups",
  "Remote server": "remote_servers",
  "Backup destination": "backup_destinations",
  "Script": "scripts",
  "Tag": "tags",
  "Token": "tokens",
  "Session": "sessions",
  "Passkey": "passkeys",
  "Notification stream": "notification_streams",
};

type Ids = Record<string, number[]>;

/** The users, with their tokens and records. Earlier requests might have changed or deleted any of them. */
class World {
  own: Ids = {};
  others: Ids = {};
  users: number[] = [];
  #clients!: Record<"full" | "admin" | "weak", ApiClient>;
  #user!: ApiClient;
  #other!: ApiClient;
  #age = 0;

  constructor(private readonly api: TestApi) {}

  async begin(): Promise<void> {
    this.#user = await this.api.user();
    this.#other = await this.api.user();
    // The first request for the SSH key creates the key. After that, requests for it do not change the
    // database.
    await this.#other.call("GET", "/api/ssh-key");
    await this.#look();
  }

  tokenOf(who: GeneratedRequest["token"]): string | null {
    if (who === "none") return null;
    return who === "unknown" ? "rg_nobody" : this.#clients[who].token;
  }

  /** Secrets that responses must not contain, in addition to the secrets in the records. */
  get secrets(): string[] {
    return [this.#other.token, ...Object.values(this.#clients).map(({ token }) => token)];
  }

  async tick(): Promise<void> {
    if (++this.#age % PER_LOOK === 0) await this.#look();
  }

  async #look(): Promise<void> {
    const { database } = this.api;
    // Makes new tokens, because a request might have revoked a token or removed its abilities.
    const full = await this.api.tokenOf(this.#user, ABILITIES);
    this.#clients = { full, admin: this.api.admin, weak: await this.api.tokenOf(full, ["manage-tags"]) };
    this.own = await this.#recordsOf(this.#clients.full, "mine");
    this.others = await this.#recordsOf(this.#other, OTHERS);
    const admin = this.#clients.admin.userId;
    const spared = [admin, this.#other.userId, this.#clients.full.userId];
    this.users = (await database<{ id: number }[]>`
      select id from users where id <> all(${spared}) order by id desc limit 5`).map(({ id }) => id);
    if (this.users.length === 0) this.users = [(await this.api.user()).userId];
  }

  async #recordsOf(client: ApiClient, label: string): Promise<Ids> {
    const { database, clock } = this.api;
    // Leaves out destinations in the trash, because tasks cannot use them.
    const isKept = (table: string) =>
      table === "backup_destinations" ? database`deletes_at is null` : database`true`;
    const rows = async (table: string) =>
      (await database<{ id: number }[]>`
        select id from ${database(table)} where user_id = ${client.userId} and ${isKept(table)}
        order by id desc limit 5`).map((
        row,
      ) => row.id);
    const make: Record<string, () => Promise<unknown>> = {
      "Remote server": () => newServer(client, { label, database_password: `${CANARY}-server` }),
      "Backup destination": () =>
        newDestination(client, {
          label,
          type: "custom_s3",
          s3_bucket_name: "bucket",
          custom_s3_region: "here",
          s3_access_key: "AKIAEXAMPLE",
          s3_secret_key: `${CANARY}-bucket`,
          custom_s3_endpoint: "https://s3.example.test",
        }),
      "Script": () =>
        client.call("POST", "/api/scripts", { label, type: "prescript", script: `echo ${label}` }),
      "Tag": () => client.call("POST", "/api/tags", { label }),
      "Notification stream": () =>
        client.call("POST", "/api/notification-streams", {
          label,
          type: "email",
          value: "jo@example.test",
          notifications: { on_success: true, on_failure: true },
        }),
      "Backup task": async () =>
        await newTask(client, {
          label,
          remote_server_id: (await rows("remote_servers"))[0],
          backup_destination_id: (await rows("backup_destinations"))[0],
          encryption_password: `${CANARY}-archive`,
          // A request might have turned the destination into a local one without a path. With this path, the
          // task is valid for a local destination too.
          store_path: "backups",
        }),
      "Backup task log": async () => {
        const [task] = await rows("backup_tasks");
        await newRun(database, task!, clock.now());
        await newRun(database, task!, clock.now(), { kind: "restore", state: "queued" });
      },
      "Backup": async () =>
        await newBackup(database, (await rows("backup_tasks"))[0]!, clock.now(), { directory: "backups" }),
      "Passkey": () => newPasskey(database, client.userId, clock.now()),
      "Session": () => newSession(database, client.userId, clock.now()),
      "Token": () => client.call("POST", "/api/tokens", { name: label, abilities: ["manage-tags"] }),
    };
    const ids: Ids = { "Workspace": [client.workspaceId], "Member": [client.userId] };
    for (const [name, create] of Object.entries(make)) {
      const table = TABLES[name]!;
      if ((await rows(table)).length === 0) await create();
      ids[name] = await rows(table);
    }
    return ids;
  }
}

interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
  /** Whether the request refers to another user's record. */
  isOthers: boolean;
}

function sent(ask: GeneratedRequest, { endpoint }: Documented, world: World): Sent {
  let isOthers = false;
  const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_: string, name: string) => {
    const picked = ask.ids[name]!;
    if (picked.of === "text") return encodeURIComponent(picked.text);
    const resource: string | undefined = endpoint.ids?.[name];
    if (resource === undefined) return "some-stream";
    if (resource === "User") return String(world.users[picked.n % world.users.length]);
    // Administrators are allowed to access every user's workspaces, and the members of these workspaces.
    const isReached = ask.token === "admin" && ["Workspace", "Member"].includes(resource);
    isOthers ||= picked.of === "other" && !isReached;
    const ids = (picked.of === "own" ? world.own : world.others)[resource]!;
    return String(ids[picked.n % ids.length]);
  });
  const query = new URLSearchParams(ask.query).toString();
  const token = world.tokenOf(ask.token);
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  let body: string | undefined;
  if (ask.body !== null && endpoint.method !== "get") {
    const whole = ask.mutations.reduce(mutate, withIds(ask.body, world));
    const { text, type } = encodeBody(whole ?? null, ask.coding);
    headers["Content-Type"] = type;
    body = text;
  }
  return {
    method: endpoint.method.toUpperCase(),
    path: query === "" ? path : `${path}?${query}`,
    headers: { ...headers, ...ask.headers },
    body,
    isOthers,
  };
}

/** Replaces references in the body by ids, and returns the result. Some ids are of another user's records. */
function withIds(body: Json, world: World): Json {
  if (Array.isArray(body)) return body.map((value) => withIds(value, world));
  if (typeof body !== "object" || body === null) return body;
  if ("$record" in body) {
    const name = `${body.$record}`.replaceAll("_", " ");
    const resource = name.charAt(0).toUpperCase() + name.slice(1);
    const ids = (body.n === 5 ? world.others : world.own)[resource] ?? [1];
    return ids[Number(body.n) % ids.length]!;
  }
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, withIds(value, world)]));
}

interface Got {
  status: number;
  text: string;
  headers: Headers;
}

/**
 * Sends a request. Advances the clock while waiting, for example for an agent that never responds. Reads only
 * the first chunk of a stream.
 */
async function send(api: TestApi, { method, path, headers, body }: Sent): Promise<Got> {
  const answered = Promise.resolve(api.app.request(path, { method, headers, body }));
  // Does not advance the clock for `/readyz`, because this endpoint waits only briefly for the database.
  const response = await passing(api, answered, !path.startsWith("/readyz"));
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  let text: string;
  if (isStream) {
    const reader = response.body!.getReader();
    text = new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
  } else text = await passing(api, response.text());
  return { status: response.status, text, headers: response.headers };
}

async function passing<T>(api: TestApi, promise: Promise<T>, mayWait = true): Promise<T> {
  let isOver = false;
  const over = promise.finally(() => isOver = true);
  over.catch(() => {});
  for (let turns = 0; !isOver; turns++) {
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 20))]);
    if (!isOver && turns > 1 && mayWait) await api.clock.advance(5_000);
  }
  return await over;
}

/** Matches text that a response must not contain, because only the code or the database produces it. */
const INSIDE =
  /file:\/\/\/|node_modules|PostgresError|ZodError|TypeError|\bat \S+ \(|\/src\/|violates .* constraint/;

function check(
  request: Sent,
  { endpoint, responses }: Documented,
  got: Got,
  secrets: readonly string[],
): void {
  const { status, text, headers } = got;
  const own = Object.keys(endpoint.errors ?? {}).map(Number);
  if (status >= 500) assert.ok(own.includes(status) && status === 503, `It answers ${status}: ${text}`);
  const isPart = status === 206 && request.headers.Range !== undefined;
  assert.ok(String(status) in responses || isPart, `${status} is not documented: ${text.slice(0, 300)}`);
  const told = `${text}\n${JSON.stringify([...headers])}`;
  assert.ok(!told.includes(CANARY), `A secret is told: ${told.slice(0, 2000)}`);
  for (const secret of secrets) assert.ok(!told.includes(secret), "A token is told");
  if (request.headers.Authorization === undefined || endpoint.access !== "admin") {
    assert.ok(!text.includes(OTHERS), "It tells of somebody else's record");
  }
  if (request.isOthers && endpoint.access !== "admin") {
    assert.ok(status >= 400, "It takes somebody else's record");
  }
  if (status >= 400) checkError(status, text, headers);
  else checkSuccess(endpoint.answer.content, got);
}

function checkError(status: number, text: string, headers: Headers): void {
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  const body = JSON.parse(text);
  if (status === 401) {
    assert.deepEqual(Object.keys(body), ["message"]);
    assert.equal(headers.get("www-authenticate"), "Bearer");
  } else {
    assert.equal(body.error, ERROR_TITLES[status]);
    assert.deepEqual(
      Object.keys(body),
      status === 422 ? ["error", "message", "errors"] : ["error", "message"],
    );
  }
  assert.ok(typeof body.message === "string" && body.message !== "");
  assert.doesNotMatch(body.message, INSIDE);
  for (const sentences of Object.values(body.errors ?? {})) {
    assert.ok(Array.isArray(sentences) && sentences.length > 0);
    for (const sentence of sentences) assert.doesNotMatch(sentence, INSIDE);
  }
}

function checkSuccess(
  content: { type: string; schema: ZodType } | undefined,
  { text, headers, status }: Got,
): void {
  if (content === undefined || status === 204) return;
  const type = headers.get("content-type");
  // With `format=jsonl`, the lines of a text are sent as JSON.
  if (type === "application/x-ndjson" && content.type === "text/plain") {
    for (const line of text.split("\n").filter((line) => line !== "")) JSON.parse(line);
    return;
  }
  assert.ok(type?.startsWith(content.type), `${type}`);
  if (content.type !== "application/json") return;
  const parsed = content.schema.safeParse(JSON.parse(text));
  assert.ok(parsed.success, `It answers otherwise than documented: ${parsed.error} ${text.slice(0, 500)}`);
}

/** Resolves no host name, because the generated addresses must not be contacted. */
const nowhere: Resolve = (_, done) => done(new Error("nobody is there"), []);

Deno.test("every endpoint stands by its document, whatever it is asked", async () => {
  const { numRuns, seed } = runs(800, 100_000);
  const statuses = new Map<number, number>();
  for (let done = 0; done < numRuns; done += PER_DATABASE) {
    await using api = await testApi({ connectAgent: (request) => hub.connect(request) });
    const network = new Network(AddressPolicy.publicOnly, nowhere);
    Object.assign(api.services, {
      network,
      notifier: new Notifier({ ...api.services, network, smtp: null }),
    });
    const hub: Hub = new Hub(api.services, { replicaId: crypto.randomUUID() });
    const world = new World(api);
    await world.begin();
    const changes = await watchChanges(api.database);
    const property = fc.asyncProperty(requestGenerator(() => true), async (ask) => {
      await world.tick();
      await changes.taken();
      const documented = DOCUMENTED[ask.endpoint]!;
      const request = sent(ask, documented, world);
      try {
        const got = await send(api, request);
        statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1);
        check(request, documented, got, world.secrets);
        const changed = await changes.taken();
        if (got.status < 500 && (got.status >= 400 || request.method === "GET")) {
          assert.deepEqual(
            changed,
            [],
            `It answers ${got.status} and changes rows: ${got.text.slice(0, 300)}`,
          );
        }
      } catch (cause) {
        const line = `${request.method} ${request.path} ${JSON.stringify(request.headers)} ${
          request.body ?? ""
        }`;
        throw new Error(`${line.slice(0, 3000)}\n${(cause as Error).message}`, { cause });
      }
    });
    await fc.assert(property, { seed: seed + done, numRuns: Math.min(PER_DATABASE, numRuns - done) });
    await hub.close();
  }
  const all = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  report(`${numRuns} requests answered: ${all.join(", ")}`);
  assert.ok((statuses.get(200) ?? 0) > numRuns / 20, "Hardly anything succeeds: nothing is proved");
});
