/**
 * A control plane whose database was lost. Its backups are in a directory, in a bucket and on an SSH server.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { ABILITIES } from "../../../src/domain/abilities.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import { Keyring } from "../../../src/secrets/keyring.ts";
import type { ServiceContext } from "../../../src/services/context.ts";
import { issueToken } from "../../../src/services/access/tokens.ts";
import { openDatabase } from "../../../src/store/database/database.ts";
import { openEventBus } from "../../../src/store/database/event_bus.ts";
import { insertUser } from "../../../src/store/access/users.ts";
import { shell } from "../fixtures/backup_run.ts";
import { ApiCaller } from "../clients/client.ts";
import { QUICK_AGENT } from "../clients/quick_agent.ts";
import { serve, startAgent } from "./control_plane.ts";
import { type TestDatabase, testServices } from "../fixtures/database.ts";
import { rightsOf } from "../assertions/rights.ts";
import { TestS3 } from "./s3.ts";
import { TestSshd } from "./sshd.ts";
import { describeTree, growTree } from "../fixtures/tree.ts";
import { LOOPBACK_ALLOWED } from "./loopback.ts";
import { until } from "../assertions/until.ts";

export const PASSWORD = `päss "wörd" \\ $(id)`;
export const ADMIN = new URL("../../../src/admin/main.ts", import.meta.url).pathname;

export interface Stage {
  stack: AsyncDisposableStack;
  root: string;
  key: Uint8Array;
  s3: TestS3;
  sshd: TestSshd;
  /** The path of the user's private key for the SSH server. */
  keyFile: string;
  original: string[];
  /** The old control plane's backups of the tree, with the fields that tests need. */
  backups: { file_name: string; directory: string; encryption: string }[];
  serverId: number;
  /** A token of the old control plane. It is not valid in a new database. */
  token: string;
}

/**
 * Starts a control plane on `services`, and an agent for the server `serverId`. If `serverId` is null, first
 * creates a server.
 */
async function runPlane(
  services: ServiceContext,
  token: string,
  serverId: number | null,
  stack: AsyncDisposableStack,
): Promise<{ api: ApiCaller; serverId: number }> {
  const { url, hub } = await serve(services, stack);
  const api = new ApiCaller(url, token);
  const id = serverId ?? await api.create("/remote-servers", { label: "here", ip_address: "192.0.2.9" });
  const enrolment = await api.call("POST", `/remote-servers/${id}/enrolment-tokens`);
  const agent = { program: QUICK_AGENT, logLevel: "info" };
  await startAgent(url, enrolment.body.data.token, agent, stack);
  await until(() => hub.connectedServers().includes(id));
  return { api, serverId: id };
}

/**
 * Backs up a tree and the control plane to a directory, to a bucket and to an SSH server. Each of these
 * destinations gets two backups of the tree, one of them encrypted, and one backup of the control plane. Then
 * backs up the tree to the directory once more, with a new task, and deletes the database.
 */
export async function loseControlPlane(stack: AsyncDisposableStack): Promise<Stage> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-recovery-" });
  stack.defer(async () => void await shell('chmod -R u+rwx "$1"; rm -rf "$1"', root));
  const s3 = stack.use(await TestS3.open());
  const sshd = stack.use(await TestSshd.open());
  const keyFile = `${root}/key`;
  await Deno.writeTextFile(keyFile, sshd.privateKey, { mode: 0o600 });
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
  const server = await api.create("/backup-destinations", {
    label: "server",
    type: "sftp",
    sftp_host: sshd.host,
    sftp_port: sshd.port,
    sftp_username: sshd.username,
    sftp_private_key: sshd.privateKey,
    sftp_host_key: sshd.hostKey,
    sftp_path: sshd.directory,
  });
  const plan = { remote_server_id: serverId, frequency: "daily", time_to_run_at: "01:00" };
  for (const backup_destination_id of [local, bucket, server]) {
    for (const encryption_password of [null, PASSWORD]) {
      for (const what of [{ type: "files", source_path: `${root}/tree` }, { type: "control_plane" }]) {
        // The control plane's own backup is unencrypted in the local directory, and encrypted in the bucket
        // and on the SFTP server. So tests recover both forms.
        if (
          what.type === "control_plane" &&
          (encryption_password === null) === (backup_destination_id !== local)
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
  const late = { type: "files", source_path: `${root}/tree`, label: "late", store_path: "late" };
  const taskId = await api.create("/backup-tasks", {
    ...plan,
    ...late,
    backup_destination_id: local,
    encryption_password: PASSWORD,
  });
  assert.equal((await api.run(taskId)).status, "successful");
  const { body } = await api.call("GET", "/backups?per_page=100");
  const original = await describeTree(`${root}/tree`);
  return { stack, root, key, s3, sshd, keyFile, original, backups: body.data, serverId, token };
}

/** Runs `recover` as an operator does. */
export async function recoverInto(
  stage: Stage,
  made: TestDatabase,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", ...rightsOf("admin"), ADMIN, "recover", ...args],
    env: {
      ...LOOPBACK_ALLOWED,
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
  const keyLines = stage.sshd.privateKey.split("\n").slice(1, -2);
  for (const secret of [PASSWORD, stage.s3.secretKey, stage.sshd.password ?? PASSWORD, ...keyLines]) {
    assert.ok(!`${told.stdout}${told.stderr}`.includes(secret), "a secret is told");
  }
  return told;
}

/**
 * Starts a control plane on the recovered database. Through its API, restores the file tree from each backup
 * that was made on the agent's server.
 */
export async function restoreEverything(
  stage: Stage,
  made: TestDatabase,
  token: string,
  expected: Stage["backups"],
): Promise<ApiCaller> {
  const { stack, root, key } = stage;
  const database = openDatabase(made.url);
  stack.defer(() => database.end());
  const bus = await openEventBus(database);
  stack.defer(() => bus.close());
  const test = stack.use(await testServices());
  const services = { ...test.services, database, bus, clock: systemClock, keyring: new Keyring([key]) };
  const [server] = await database<{ id: number }[]>`select min(id)::bigint as id from remote_servers`;
  const { api } = await runPlane(services, token, server!.id, stack);
  const { body } = await api.call("GET", "/backups?per_page=100");
  const names = (list: Stage["backups"]) => list.map(({ file_name }) => file_name).sort();
  assert.deepEqual(names(body.data), names(expected));
  for (const backup of body.data) {
    if (backup.engine !== "tar" || backup.remote_server_id !== server!.id) continue;
    const target = `${root}/restored`;
    const log = await api.carryOut(`/backups/${backup.id}/restore`, { target_path: target });
    assert.equal(log.status, "successful", log.output);
    assert.deepEqual(await describeTree(target), stage.original);
    await shell('chmod -R u+rwx "$1"; rm -rf "$1"', target);
  }
  return api;
}

/**
 * Returns the backups that a recovered control plane must know: those stored before the backup of the control
 * plane itself, and those whose directory starts with `directory`.
 */
export function knownAfter({ backups }: Stage, directory: string): Stage["backups"] {
  const isBelow = (each: Stage["backups"][number]) => each.directory.startsWith(directory);
  const own = backups.findIndex((each) => isBelow(each) && each.file_name.includes(".sql"));
  return backups.filter((each, index) => index < own || isBelow(each));
}
