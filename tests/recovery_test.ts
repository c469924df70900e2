/** A control plane whose database is thrown away, and what is made of its backups. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Buffer } from "node:buffer";
import { ABILITIES } from "../src/domain/abilities.ts";
import { systemClock } from "../src/domain/clock.ts";
import { Keyring } from "../src/secrets/keyring.ts";
import type { Services } from "../src/services/context.ts";
import { issueToken } from "../src/services/tokens.ts";
import { openDatabase } from "../src/store/database.ts";
import { openBus } from "../src/store/notifications.ts";
import { insertUser } from "../src/store/users.ts";
import { shell } from "./support/backup_run.ts";
import { ApiCaller } from "./support/client.ts";
import { serve, startAgent } from "./support/control_plane.ts";
import { emptyDatabase, type TestDatabase, testServices } from "./support/database.ts";
import { TestS3 } from "./support/s3.ts";
import { describeTree, growTree } from "./support/tree.ts";
import { until } from "./support/until.ts";

const PASSWORD = `päss "wörd" \\ $(id)`;
const ADMIN = new URL("../src/admin/main.ts", import.meta.url).pathname;

interface Stage {
  stack: AsyncDisposableStack;
  root: string;
  key: Uint8Array;
  s3: TestS3;
  original: string[];
  /** The old control plane's backups of the tree: by what is told of each. */
  backups: { file_name: string; directory: string; encryption: string }[];
  serverId: number;
  /** Of the old control plane: no good where the database is not the old one. */
  token: string;
}

/** A control plane over `services` with an agent; `token` null enrols it on `serverId`. */
async function runPlane(
  services: Services,
  token: string,
  serverId: number | null,
  stack: AsyncDisposableStack,
): Promise<{ api: ApiCaller; serverId: number }> {
  const { url, hub } = await serve(services, stack);
  const api = new ApiCaller(url, token);
  const id = serverId ?? await api.create("/remote-servers", { label: "here", ip_address: "192.0.2.9" });
  const enrolment = await api.call("POST", `/remote-servers/${id}/enrolment-tokens`);
  const agent = { program: ["--allow-all", new URL("../agent/main.ts", import.meta.url).pathname] };
  await startAgent(url, enrolment.body.data.token, { ...agent, logLevel: "info" }, stack);
  await until(() => hub.connectedServers().includes(id));
  return { api, serverId: id };
}

/** Backs a tree up plain and encrypted, then the control plane itself, to a directory and to a bucket; then loses its database. */
async function loseControlPlane(stack: AsyncDisposableStack): Promise<Stage> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-recovery-" });
  stack.defer(async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root));
  const s3 = stack.use(await TestS3.open());
  const key = randomBytes(32);
  await using old = new AsyncDisposableStack();
  const test = old.use(await testServices());
  const services = { ...test.services, clock: systemClock, keyring: new Keyring([key]) };
  const user = { name: "Ada", email: "ada@example.test", is_admin: true };
  const { id: userId } = await insertUser(services.database, user, systemClock.now());
  const token =
    (await issueToken(services, { userId, name: "t", abilities: ABILITIES, expiresAt: null })).plain;
  const { api, serverId } = await runPlane(services, token, null, old);
  await Deno.mkdir(`${root}/tree`);
  await growTree(`${root}/tree`);
  const local = await api.create("/backup-destinations", {
    label: "disk",
    type: "local",
    local_path: `${root}/backups`,
  });
  const bucket = await api.create("/backup-destinations", {
    label: "bucket",
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  });
  const plan = { remote_server_id: serverId, frequency: "daily", time_to_run_at: "01:00" };
  for (const backup_destination_id of [local, bucket]) {
    for (const encryption_password of [null, PASSWORD]) {
      for (const what of [{ type: "files", source_path: `${root}/tree` }, { type: "control_plane" }]) {
        // A control plane's backup is encrypted in the bucket only, so that both are recovered from.
        if (
          what.type === "control_plane" &&
          (encryption_password === null) === (backup_destination_id === bucket)
        ) {
          continue;
        }
        const taskId = await api.create("/backup-tasks", {
          ...plan,
          ...what,
          backup_destination_id,
          encryption_password,
          label: what.type,
          store_path: `in/${what.type}`,
        });
        const log = await api.run(taskId);
        assert.equal(log.status, "successful", log.output);
      }
    }
  }
  const { body } = await api.call("GET", "/backups?per_page=100");
  const original = await describeTree(`${root}/tree`);
  return { stack, root, key, s3, original, backups: body.data, serverId, token };
}

/** Runs the command as a person does. */
async function recoverInto(
  stage: Stage,
  made: TestDatabase,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", ADMIN, "recover", ...args],
    env: {
      DATABASE_URL: made.url,
      DATA_DIR: `${stage.root}/data`,
      SECRET_KEY: Buffer.from(stage.key).toString("base64"),
      AWS_ACCESS_KEY_ID: stage.s3.accessKey,
      AWS_SECRET_ACCESS_KEY: stage.s3.secretKey,
      AWS_ENDPOINT_URL: stage.s3.endpoint,
      ...env,
    },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const told = { code, stdout: text(stdout), stderr: text(stderr) };
  for (const secret of [PASSWORD, stage.s3.secretKey]) {
    assert.ok(!`${told.stdout}${told.stderr}`.includes(secret), "a secret is told");
  }
  return told;
}

/** Starts a control plane on what was recovered, and restores every backup of the tree through its API. */
async function restoreEverything(
  stage: Stage,
  made: TestDatabase,
  token: string,
  expected: Stage["backups"],
): Promise<ApiCaller> {
  const { stack, root, key } = stage;
  const database = openDatabase(made.url);
  stack.defer(() => database.end());
  const bus = await openBus(database);
  stack.defer(() => bus.close());
  const test = stack.use(await testServices());
  const services = { ...test.services, database, bus, clock: systemClock, keyring: new Keyring([key]) };
  const [server] = await database<{ id: number }[]>`select min(id)::bigint as id from remote_servers`;
  const { api } = await runPlane(services, token, server!.id, stack);
  const { body } = await api.call("GET", "/backups?per_page=100");
  const names = (list: Stage["backups"]) => list.map(({ file_name }) => file_name).sort();
  assert.deepEqual(names(body.data), names(expected));
  for (const backup of body.data.filter(({ engine }: { engine: string }) => engine === "tar")) {
    const target = `${root}/restored`;
    const log = await api.carryOut(`/backups/${backup.id}/restore`, { target_path: target });
    assert.equal(log.status, "successful", log.output);
    assert.deepEqual(await describeTree(target), stage.original);
    await shell('chmod -R u+rwx "$1"; rm -rf "$1"', target);
  }
  return api;
}

function tokenIn(stdout: string): string {
  const token = /^A new administrator's API token, shown only now: (rg_\S+)$/m.exec(stdout)?.[1];
  assert.ok(token, stdout);
  return token;
}

Deno.test("a control plane that lost its database is made anew", async (t) => {
  await using stack = new AsyncDisposableStack();
  const stage = await loseControlPlane(stack);
  const { root, s3, backups } = stage;
  const bucket = `s3://${s3.bucket}`;

  await t.step("of its backup in a directory, with its tokens and tasks", async () => {
    await using made = await emptyDatabase();
    const told = await recoverInto(stage, made, ["--from", `${root}/backups`]);
    assert.equal(told.code, 0, told.stderr);
    // What was made after the backup, or by the run itself, is not in it.
    const known = backups.slice(0, backups.findIndex(({ file_name }) => file_name.includes(".sql")));
    await using inner = new AsyncDisposableStack();
    const api = await restoreEverything({ ...stage, stack: inner }, made, stage.token, known);
    assert.equal((await api.call("GET", "/backup-tasks")).body.meta.total, 2);
    assert.equal((await new ApiCaller(api.url, tokenIn(told.stdout)).call("GET", "/user")).status, 200);
    const again = await recoverInto(stage, made, ["--from", `${root}/backups`]);
    assert.match(again.stderr, /^Cannot recover: the database is not empty/);
  });

  await t.step("of its encrypted backup in a bucket", async () => {
    await using made = await emptyDatabase();
    const closed = await recoverInto(stage, made, ["--from", bucket]);
    assert.match(closed.stderr, /^Cannot decrypt .*: no password fits/);
    const other = { SECRET_KEY: randomBytes(32).toString("base64"), ENCRYPTION_PASSWORDS: PASSWORD };
    const foreign = await recoverInto(stage, made, ["--from", bucket], other);
    assert.match(
      foreign.stderr,
      /^Cannot recover: secrets are sealed with key \w{8}, which SECRET_KEY does not/,
    );
    const told = await recoverInto(stage, made, ["--from", bucket], {
      ENCRYPTION_PASSWORDS: `another\n${PASSWORD}`,
    });
    assert.equal(told.code, 0, told.stderr);
    await using inner = new AsyncDisposableStack();
    await restoreEverything({ ...stage, stack: inner }, made, stage.token, backups.slice(0, -1));
  });

  for (const [place, directory] of [[`${root}/backups`, root], [bucket, "in"]] as const) {
    await t.step(`of the manifests in ${place === bucket ? "a bucket" : "a directory"}`, async () => {
      await using made = await emptyDatabase();
      const args = ["--from", place, "--from-manifests"];
      const closed = await recoverInto(stage, made, args);
      assert.match(closed.stderr, /^Cannot recover: no password fits backup_/);
      const told = await recoverInto(stage, made, args, { ENCRYPTION_PASSWORDS: PASSWORD });
      assert.equal(told.code, 0, told.stderr);
      await using inner = new AsyncDisposableStack();
      const there = backups.filter((backup) => backup.directory.startsWith(directory));
      assert.equal(there.length, 3);
      await restoreEverything({ ...stage, stack: inner }, made, tokenIn(told.stdout), there);
    });
  }

  await t.step("and a damaged backup of it is passed over", async () => {
    await using made = await emptyDatabase();
    const directory = `${root}/backups/in/control_plane`;
    const archive = [...Deno.readDirSync(directory)].find(({ name }) => name.endsWith(".sql.zst"))!.name;
    const content = await Deno.readFile(`${directory}/${archive}`);
    content[content.length >> 1]! ^= 1;
    await Deno.writeFile(`${directory}/${archive}`, content);
    const told = await recoverInto(stage, made, ["--from", `${root}/backups`]);
    assert.equal(told.code, 1);
    assert.match(told.stdout, /Passed over .*: .* has another SHA-256 than was stored/);
    assert.match(told.stderr, /^Cannot recover: .* holds no whole backup of a control plane/);
  });
});

Deno.test("only administrators back the control plane up, and only its run's agent gets it", async () => {
  await using stack = new AsyncDisposableStack();
  const test = stack.use(await testServices());
  const services = { ...test.services, clock: systemClock };
  const user = { name: "Eve", email: "eve@example.test", is_admin: false };
  const { id: userId } = await insertUser(services.database, user, systemClock.now());
  const token =
    (await issueToken(services, { userId, name: "t", abilities: ABILITIES, expiresAt: null })).plain;
  const { url } = await serve(services, stack);
  const api = new ApiCaller(url, token);
  const answer = await api.call("POST", "/backup-tasks", {
    remote_server_id: await api.create("/remote-servers", { label: "a", ip_address: "192.0.2.9" }),
    backup_destination_id: await api.create("/backup-destinations", {
      label: "b",
      type: "local",
      local_path: "/b",
    }),
    label: "all of it",
    type: "control_plane",
    frequency: "daily",
    time_to_run_at: "01:00",
  });
  assert.equal(answer.status, 403);
  for (const authorization of ["Bearer rga_unknown", `Bearer ${token}`]) {
    const refused = await fetch(`${url}/api/agent/export?run_id=1&attempt=1`, { headers: { authorization } });
    assert.equal(refused.status, 401);
    await refused.body?.cancel();
  }
});
