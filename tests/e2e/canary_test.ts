/**
 * Puts a secret into every field that takes one, then searches for it in everything that is returned, stored
 * or logged.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { configure, reset } from "@logtape/logtape";
import { openapiDocument } from "../../src/http/openapi.ts";
import { ENDPOINTS, GROUPS } from "../../src/http/routes.ts";
import { Notifier } from "../../src/notify/notifier.ts";
import { ageKeygen } from "../support/fixtures/age.ts";
import { type Answer, ApiCaller, type StreamedEvent, type StreamOptions } from "../support/clients/client.ts";
import { everyRow } from "../support/assertions/contents.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { type DestinationFixture, destinationFixtures } from "../support/fixtures/destinations.ts";
import { newStream } from "../support/fixtures/notified.ts";
import { freePort } from "../support/servers/ports.ts";
import { QUICK_AGENT } from "../support/clients/quick_agent.ts";
import { HttpReceiver, MailReceiver } from "../support/servers/receivers.ts";
import { assertSecrecy, Secrecy, textsBelow } from "../support/assertions/secrecy.ts";
import { TestSshd } from "../support/servers/sshd.ts";
import { internalCaller } from "../../src/services/access/internal_caller.ts";
import { startTotp } from "../../src/services/access/second_factor.ts";
import { insertSetupLink } from "../../src/services/access/setup_links.ts";
import { findLoginUser } from "../../src/store/access/user_passwords.ts";
import { transaction } from "../../src/store/database/database.ts";
import { until } from "../support/assertions/until.ts";

/**
 * Returns a secret that can be searched for. The secret has no blanks, so that it is valid in every field.
 */
const canary = (of: string) => `canary-${of}-${randomBytes(9).toString("hex")}`;

/** The canary of each field of the API that takes a secret, by the field's name. */
const PLANTED: Readonly<Record<string, string>> = {
  database_password: canary("database"),
  isolated_password: canary("isolated"),
  encryption_password: canary("encryption"),
  s3_access_key: canary("s3-access"),
  s3_secret_key: canary("s3-secret"),
  sftp_password: canary("sftp"),
  webdav_password: canary("webdav"),
  sftp_private_key: canary("sftp-key"),
  sftp_private_key_passphrase: canary("sftp-passphrase"),
  signing_secret: canary("signing"),
  value: canary("stream"),
  identity: canary("identity"),
  password: canary("login"),
  current_password: canary("current-login"),
  setup_token: canary("setup"),
  challenge: canary("challenge"),
  code: canary("code"),
};

/** Fields whose names look like those of secrets, although their values are not secret. */
const PUBLIC = new Set(["sftp_host_key", "keep_last"]);

/** Returns the names of the fields that the API document marks as write-only or with format `password`. */
function secretFields(): Set<string> {
  // deno-lint-ignore no-explicit-any
  const document: any = openapiDocument(ENDPOINTS, GROUPS, null, "0");
  const found = new Set<string>();
  for (const methods of Object.values<Record<string, unknown>>(document.paths)) {
    // deno-lint-ignore no-explicit-any
    for (const operation of Object.values<any>(methods)) {
      let schema = operation.requestBody?.content?.["application/json"]?.schema ?? {};
      if (schema.$ref !== undefined) schema = document.components.schemas[schema.$ref.split("/").at(-1)];
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        if (/"(format":"password"|writeOnly":true)/.test(JSON.stringify(property))) found.add(name);
      }
    }
  }
  return found;
}

Deno.test("every field that takes a secret says so, and has a canary", () => {
  const marked = secretFields();
  assert.deepEqual([...marked].sort(), Object.keys(PLANTED).sort());
  for (const { path, body } of ENDPOINTS) {
    for (const name of Object.keys(body?.schema.shape ?? {})) {
      if (PUBLIC.has(name) || !/password|secret|token|credential|private|identity|(^|_)key(_|$)/.test(name)) {
        continue;
      }
      assert.ok(marked.has(name), `${path}: ${name} is called like a secret and not marked as one`);
    }
  }
});

/** A client that records every response. */
class Listener extends ApiCaller {
  readonly heard: string[] = [];

  override async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await super.call(method, path, body);
    this.heard.push(`${method} ${path} ${JSON.stringify(answer)}`);
    return answer;
  }

  override async *events(path: string, options: StreamOptions = {}): AsyncGenerator<StreamedEvent> {
    for await (const event of super.events(path, options)) {
      this.heard.push(JSON.stringify(event));
      yield event;
    }
  }
}

/** Records everything that this process logs, with all properties, until it is disposed of. */
async function listenToLogs(): Promise<{ text(): string } & AsyncDisposable> {
  const lines: string[] = [];
  await configure({
    reset: true,
    sinks: {
      lines: (record) => lines.push(Deno.inspect(record, { depth: 12, strAbbreviateSize: Infinity })),
    },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: [] },
      { category: "rearguard", lowestLevel: "trace", sinks: ["lines"] },
    ],
  });
  return { text: () => lines.join("\n"), [Symbol.asyncDispose]: () => reset() };
}

Deno.test("no canary is heard anywhere", async (t) => {
  await using stack = new AsyncDisposableStack();
  const logs = stack.use(await listenToLogs());
  const plane = stack.use(await startControlPlane({ program: QUICK_AGENT, logLevel: "trace" }));
  const { services, serverId } = plane;
  const api = new Listener(plane.api.url, plane.api.token);
  const root = await Deno.makeTempDir({ prefix: "rearguard-canary-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "nothing secret\n".repeat(1000));

  const s3 = stack.use(await destinationFixtures.s3!());
  const sftp = stack.use(await destinationFixtures.sftp!());
  const webdav = stack.use(await destinationFixtures.webdav!());
  const sshd = stack.use(await TestSshd.open());
  const keys = await ageKeygen();
  const other = await ageKeygen();
  const pem = sshd.privateKey.split("\n").filter((line) => /^[A-Za-z0-9+/=]{40,}$/.test(line));
  const smtp = canary("smtp");
  const secrets = [
    ...Object.values(PLANTED),
    ...s3.secrets,
    ...sftp.secrets,
    ...webdav.secrets,
    ...pem.slice(1),
    /AGE-SECRET-KEY-\S+/.exec(keys.identity)![0],
    /AGE-SECRET-KEY-\S+/.exec(other.identity)![0],
    smtp,
    plane.api.token,
  ];
  using secrecy = new Secrecy(plane, secrets);

  const destination = (fields: Record<string, unknown>) =>
    api.create("/backup-destinations", { label: "destination", ...fields });
  const task = async (backup_destination_id: number, fields: Record<string, unknown> = {}) =>
    await api.create("/backup-tasks", {
      remote_server_id: serverId,
      backup_destination_id,
      label: "task",
      type: "files",
      source_path: `${root}/source`,
      frequency: "daily",
      time_to_run_at: "01:00",
      isolated_password: PLANTED.isolated_password,
      ...fields,
    });
  const newest = async (taskId: number) =>
    (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data.at(-1).id as number;
  /**
   * Makes a backup of the task, and sends every request about it. Requests that take a secret key (identity)
   * get `identity`. Returns the backup's id.
   */
  const handle = async (taskId: number, identity: { identity?: string } = {}) => {
    assert.equal((await api.run(taskId)).status, "successful");
    const backup = await newest(taskId);
    const restored = await api.carryOut(`/backups/${backup}/restore`, {
      target_path: `${root}/restored-${backup}`,
      ...identity,
    });
    assert.equal(restored.status, "successful", restored.output);
    assert.equal((await api.carryOut(`/backups/${backup}/verify`)).status, "successful");
    const files = identity.identity === undefined
      ? await api.call("GET", `/backups/${backup}/files`)
      : await api.call("POST", `/backups/${backup}/files`, identity);
    assert.equal(files.status, 200, JSON.stringify(files.body));
    return backup;
  };

  const hook = stack.use(new HttpReceiver());
  hook.answer = ({ path }) => new Response(`no such thing: ${path}`, { status: 500 });
  let streams: number[] = [];
  await t.step("notification streams of every kind", async () => {
    const secret = PLANTED.value!;
    const letters = secret.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, 30).padEnd(30, "x");
    secrets.push(letters);
    const values: Record<string, string> = {
      webhook: `https://127.0.0.1:${freePort()}/${secret}`,
      discord_webhook: `https://127.0.0.1:${freePort()}/${secret}`,
      slack_webhook: `https://127.0.0.1:${freePort()}/${secret}`,
      teams_webhook: `https://127.0.0.1:${freePort()}/${secret}`,
      ntfy: `https://:${secret}@127.0.0.1:${freePort()}/${letters}`,
      healthchecks: `https://127.0.0.1:${freePort()}/${secret}`,
      pushover: `${letters}/${letters}`,
      telegram: `1234567:${letters}${"x".repeat(5)}/-100`,
      email: `${secret}@example.test`,
    };
    const notifier = new Notifier({
      ...services,
      smtp: null,
      addresses: { pushover: hook.url, telegram: hook.url },
    });
    for (const [type, value] of Object.entries(values)) {
      const id = await api.create("/notification-streams", {
        label: type,
        type,
        value,
        ...type === "webhook" ? { signing_secret: PLANTED.signing_secret } : {},
        notifications: { on_success: true, on_failure: true },
      });
      await api.call("PUT", `/notification-streams/${id}`, { value });
      if (value.startsWith("https://")) {
        const { body } = await api.call("POST", `/notification-streams/${id}/test`);
        assert.equal(body.data.ok, false);
        streams.push(id);
      } else if (type !== "email") {
        const [row] = await services.database<{ type: "pushover"; value_encrypted: string }[]>`
          select type, value_encrypted from notification_streams where id = ${id}`;
        const outcome = await notifier.sendNow(row!, {
          event: "test",
          occurred_at: "2026-01-05T12:00:00Z",
          timezone: "UTC",
          task: null,
          server: null,
          run: null,
          backup: null,
          reason: null,
        });
        assert.equal(outcome.ok, false);
        api.heard.push(JSON.stringify(outcome));
      }
    }
    const { body } = await api.call("GET", "/user");
    const userId = body.data.id as number;
    streams = [
      ...streams,
      await newStream(services, { userId, taskId: null }, { value: `${hook.url}/${secret}` }),
    ];
    const mail = stack.use(await MailReceiver.open({ user: "me", password: "another" }));
    const mailer = new Notifier({
      ...services,
      smtp: { url: `smtp://me:${smtp}@${mail.address}`, from: "a@example.test" },
    });
    const [row] = await services.database<{ type: "email"; value_encrypted: string }[]>`
      select type, value_encrypted from notification_streams where type = 'email'`;
    const outcome = await mailer.sendNow(row!, {
      event: "test",
      occurred_at: "2026-01-05T12:00:00Z",
      timezone: "UTC",
      task: null,
      server: null,
      run: null,
      backup: null,
      reason: null,
    });
    assert.equal(outcome.ok, false);
    api.heard.push(JSON.stringify(outcome));
  });

  const tells = () => ({ notification_stream_ids: streams.slice(0, 4) });
  await t.step("a bucket, encrypted with a password", async () => {
    const id = await destination(s3.fields);
    assert.equal((await api.call("POST", `/backup-destinations/${id}/check`)).body.data.ok, true);
    const taskId = await task(id, {
      store_path: s3.storePath("canary"),
      encryption_password: PLANTED.encryption_password,
      ...tells(),
    });
    const backup = await handle(taskId);
    assert.equal((await api.carryOut(`/backups/${backup}/drill`)).status, "successful");
    const url = `${api.url}/api/backups/${backup}/files/download?path=file`;
    const file = await fetch(url, { headers: { authorization: `Bearer ${api.token}` } });
    assert.match(await file.text(), /^nothing secret/);
  });
  await t.step("SFTP, with a password and with a key", async () => {
    for (const [fields, fixture] of [[sftp.fields, sftp], [keyFields(sshd), null]] as const) {
      const id = await destination(fields);
      const check = await api.call("POST", `/backup-destinations/${id}/check`, {
        remote_server_id: serverId,
      });
      assert.equal(check.body.data.ok, true, JSON.stringify(check.body));
      await handle(await task(id, { store_path: fixture?.storePath("canary") ?? "canary" }));
    }
  });
  await t.step("a directory, encrypted to a recipient", async () => {
    const id = await destination({ type: "local", local_path: `${root}/backups` });
    const taskId = await task(id, { encryption_recipients: [keys.recipient] });
    const backup = await handle(taskId, { identity: keys.identity });
    for (const identity of [other.identity, PLANTED.identity!]) {
      await api.call("POST", `/backups/${backup}/files`, { identity });
      const target_path = `${root}/not-restored`;
      const { body, status } = await api.call("POST", `/backups/${backup}/restore`, {
        target_path,
        identity,
      });
      if (status === 202) await ended(api, body.backup_task_log_id);
    }
  });
  await t.step("what fails", async () => {
    const wrongs: Record<string, unknown>[] = [
      { ...s3.fields, s3_secret_key: PLANTED.s3_secret_key },
      { ...s3.fields, s3_access_key: PLANTED.s3_access_key },
      { ...s3.fields, ...PLANTED_S3, custom_s3_endpoint: AWAY },
      { ...sftp.fields, sftp_password: PLANTED.sftp_password, sftp_private_key: null },
      { ...sftp.fields, sftp_password: PLANTED.sftp_password, sftp_port: 1 },
      { ...webdav.fields, webdav_password: PLANTED.webdav_password },
      { ...webdav.fields, webdav_password: PLANTED.webdav_password, webdav_url: AWAY },
      {
        ...sftp.fields,
        sftp_password: null,
        sftp_private_key:
          `-----BEGIN OPENSSH PRIVATE KEY-----\n${PLANTED.sftp_private_key}\n-----END OPENSSH PRIVATE KEY-----`,
      },
    ];
    for (const fields of wrongs) {
      const id = await destination(fields);
      const asked = fields.type === "custom_s3" ? undefined : { remote_server_id: serverId };
      const check = await api.call("POST", `/backup-destinations/${id}/check`, asked);
      assert.equal(check.body.data?.ok ?? false, false);
      if (isAway(fields)) continue; // a run to such a destination would try again for a while
      const log = await api.run(
        await task(id, { ...tells(), encryption_password: PLANTED.encryption_password }),
      );
      assert.equal(log.status, "failed");
    }
    const id = await destination({ type: "local", local_path: `${root}/backups` });
    await api.call("PUT", `/remote-servers/${serverId}`, { database_password: PLANTED.database_password });
    for (const database_type of ["postgresql", "mysql"]) {
      for (const database_password of [null, `${PLANTED.database_password}-of-the-task`]) {
        const log = await api.run(
          await task(id, {
            type: "database",
            database_name: "app",
            database_type,
            database_host: "127.0.0.1",
            database_port: freePort(),
            database_username: "app",
            database_password,
            ...tells(),
          }),
        );
        assert.equal(log.status, "failed");
      }
    }
  });
  await t.step("passwords of users", async () => {
    const { password, current_password, setup_token } = PLANTED;
    const { email } = (await api.call("GET", "/user")).body.data.personal_info;
    const { id } = (await findLoginUser(services.database, email))!;
    const link = await transaction(
      services.database,
      (sql) => insertSetupLink(sql, id, services.clock.now()),
    );
    for (const token of [setup_token, link.plain]) {
      await api.call("POST", "/login/setup/user", { setup_token: token });
      await api.call("POST", "/login/setup", { setup_token: token, password: current_password });
    }
    for (const given of [password, current_password]) {
      await api.call("POST", "/login", { email, password: given });
    }
    const changed = await api.call("PUT", "/user/password", { current_password, password });
    assert.equal(changed.status, 200);
  });
  await t.step("second factors", async () => {
    const { challenge, code } = PLANTED;
    assert.equal((await api.call("POST", "/login/code", { challenge, code })).status, 401);
    const { id } = (await api.call("GET", "/user")).body.data;
    const caller = await internalCaller(services, id);
    await startTotp(services, caller);
  });
  await t.step("what is refused", async () => {
    for (const endpoint of ENDPOINTS.filter(({ body, access }) => body !== undefined && access !== "agent")) {
      const path = endpoint.path.replace(/^\/api/, "").replaceAll(/\{\w+\}/g, "1");
      for (const [name, value] of Object.entries(PLANTED)) {
        if (!(name in endpoint.body!.schema.shape)) continue;
        // Sends the secret where it is invalid: too long, or with the wrong type. Every other field
        // contains the secret, too.
        const others = Object.keys(endpoint.body!.schema.shape).map((field) => [field, { [value]: [value] }]);
        for (const wrong of [value.repeat(1000), [value], { [value]: value }, `${value} \n\0`]) {
          const answer = await api.call(endpoint.method.toUpperCase(), path, {
            ...Object.fromEntries(others),
            [name]: wrong,
          });
          assert.ok(answer.status >= 400 && answer.status < 500, `${path} ${name}: ${answer.status}`);
        }
      }
    }
  });
  await t.step("the messages were tried", async () => {
    await until(async () => {
      const [row] = await services
        .database`select count(*)::integer as count from notification_deliveries where attempts > 0`;
      return row!.count > 0;
    });
    assert.ok(hook.received.length > 0);
  });

  await t.step("every secret column of the database holds something now", async () => {
    const sql = services.database;
    const columns = await sql<{ table_name: string; column_name: string }[]>`
      select table_name, column_name from information_schema.columns
      where table_schema = current_schema() and column_name like '%\\_encrypted'`;
    assert.ok(columns.length >= 11);
    await api.call("GET", "/ssh-key");
    for (const { table_name, column_name } of columns) {
      const rows = await sql`select 1 from ${sql(table_name)} where ${sql(column_name)} is not null limit 1`;
      assert.equal(rows.length, 1, `Plant a canary that reaches ${table_name}.${column_name}`);
    }
  });
  await t.step("every endpoint that tells something was asked", async () => {
    await askAll(api);
  });
  await t.step("nothing was told", async () => {
    await secrecy.check({
      logs: logs.text(),
      answers: api.heard.join("\n"),
      "what lies beside the backups": await manifests([s3, sftp], [`${root}/backups`, sshd.directory]),
    });
  });
  await t.step("what was searched would have shown it", async () => {
    assert.match(logs.text(), /Cannot tell notification stream/);
    assert.match(plane.agentOutput(), /connected/i);
    assert.throws(() => assertSecrecy([PLANTED.value!], { x: `https://${PLANTED.value}/` }));
    assert.throws(() => assertSecrecy([PLANTED.value!], { x: btoa(`me:${PLANTED.value}`) }));
    const rows = JSON.stringify(await everyRow(services.database));
    assert.throws(() => assertSecrecy(["127.0.0.1"], { rows }));
  });
});

const AWAY = "http://127.0.0.1:1";

function isAway({ custom_s3_endpoint, sftp_port, webdav_url }: Record<string, unknown>): boolean {
  return custom_s3_endpoint === AWAY || sftp_port === 1 || webdav_url === AWAY;
}

const PLANTED_S3 = { s3_access_key: PLANTED.s3_access_key, s3_secret_key: PLANTED.s3_secret_key };

function keyFields(sshd: TestSshd) {
  return {
    type: "sftp",
    sftp_host: sshd.host,
    sftp_port: sshd.port,
    sftp_username: sshd.username,
    sftp_private_key: sshd.privateKey,
    sftp_host_key: sshd.hostKey,
    sftp_path: sshd.directory,
  };
}

async function ended(api: ApiCaller, logId: number): Promise<void> {
  for await (const event of api.events(`/backup-task-logs/${logId}/stream`)) {
    if (event.event === "finished") return;
  }
}

/** Sends every GET that responds with JSON, once for each record. */
async function askAll(api: Listener): Promise<void> {
  const lists: Record<string, string> = {
    "Backup task": "/backup-tasks",
    "Backup task log": "/backup-task-logs",
    "Backup": "/backups",
    "Remote server": "/remote-servers",
    "Backup destination": "/backup-destinations",
    "Notification stream": "/notification-streams",
    "Script": "/scripts",
    "Tag": "/tags",
    "Token": "/tokens",
    "Workspace": "/workspaces",
  };
  const gets = ENDPOINTS.filter(({ method, path, access, answer }) =>
    method === "get" && path.startsWith("/api/") && access !== "agent" && access !== "admin" &&
    answer.content?.type === "application/json"
  );
  assert.ok(gets.length >= 20);
  for (const { path, ids } of gets) {
    const [resource] = Object.values<string>(ids ?? {});
    const address = path.replace(/^\/api/, "");
    if (resource === undefined) {
      await api.call("GET", `${address}${/s$/.test(address) ? "?per_page=100" : ""}`);
      continue;
    }
    const { body } = await api.call("GET", `${lists[resource]}?per_page=100`);
    for (const { id } of body.data) await api.call("GET", address.replace(/\{\w+\}/, String(id)));
  }
}

async function manifests(
  fixtures: readonly DestinationFixture[],
  directories: readonly string[],
): Promise<string> {
  let text = "";
  for (const fixture of fixtures) {
    for (const [name, bytes] of await fixture.objects()) {
      if (name.endsWith(".manifest.json")) text += new TextDecoder().decode(bytes);
    }
  }
  for (const directory of directories) text += await textsBelow(directory);
  assert.match(text, /"sha256"/);
  return text;
}
