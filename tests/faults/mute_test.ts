/**
 * Tests peers that accept a connection and never respond. Within a time limit, every run that meets such a
 * peer must either end, or report what it waits for. The plans of `deno task faults` also make peers silent,
 * but repair them later. In this test, the peers stay silent.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/domain/clock.ts";
import { type ControlPlane, FROM_SOURCE, startControlPlane } from "../support/servers/control_plane.ts";
import { keepAwake } from "../support/fixtures/hurried_clock.ts";
import { HttpReceiver } from "../support/servers/receivers.ts";
import { TestS3 } from "../support/servers/s3.ts";
import { TestSshd } from "../support/servers/sshd.ts";
import { TestWebdav } from "../support/servers/webdav.ts";
import { FreezableMount } from "../support/fixtures/tmpfs.ts";
import { until } from "../support/assertions/until.ts";
import { Relay } from "./relay.ts";

/** Time limits of the agent, in seconds. */
const LIMITS = { DESTINATION_IDLE_SECONDS: "1", DESTINATION_PATIENCE_SECONDS: "3" };
/**
 * Time limit in milliseconds. If a peer is silent, the run must end or report why it waits within this time.
 */
const BOUND = 45_000;

interface Peer {
  readonly fields: Record<string, unknown>;
  /** Returns whether the run is sending bytes to the peer. `output` is the run's output so far. */
  isAtWork(output: string): boolean;
  mute(): void;
  mend(): void;
  /** Matches a message that the run's output must contain, even if the run is still waiting. */
  readonly says: RegExp;
}

const isWriting = (output: string) => output.includes("Writing to ");

const PEERS: Record<string, (stack: AsyncDisposableStack, root: string) => Promise<Peer>> = {
  "an SFTP server": async (stack) => {
    const sshd = stack.use(await TestSshd.open());
    const relay = stack.use(new Relay(sshd.port));
    return {
      fields: {
        type: "sftp",
        sftp_host: sshd.host,
        sftp_port: relay.port,
        sftp_username: sshd.username,
        sftp_private_key: sshd.privateKey,
        sftp_host_key: sshd.hostKey,
        sftp_path: sshd.directory,
      },
      isAtWork: isWriting,
      mute: () => relay.mute(),
      mend: () => relay.heal(),
      says: /the server was silent for 1 s|it does not answer/,
    };
  },
  "a WebDAV server": async (stack) => {
    const webdav = stack.use(await TestWebdav.open("rclone"));
    const relay = stack.use(new Relay(webdav.port));
    relay.bytesPerSecond = 8 * 2 ** 20;
    return {
      fields: {
        type: "webdav",
        webdav_url: `http://127.0.0.1:${relay.port}`,
        webdav_username: webdav.username,
        webdav_password: webdav.password,
      },
      isAtWork: isWriting,
      mute: () => relay.mute(),
      mend: () => relay.heal(),
      says: /nothing moved for \d+ s|no answer came for \d+ s/,
    };
  },
  "S3": async (stack) => {
    const s3 = stack.use(await TestS3.open());
    const relay = stack.use(new Relay(Number(new URL(s3.endpoint).port)));
    relay.bytesPerSecond = 8 * 2 ** 20;
    return {
      fields: {
        type: "custom_s3",
        s3_access_key: s3.accessKey,
        s3_secret_key: s3.secretKey,
        s3_bucket_name: s3.bucket,
        custom_s3_endpoint: `http://127.0.0.1:${relay.port}`,
        path_style_endpoint: true,
      },
      isAtWork: () => s3.calls.some(({ method, query }) => method === "PUT" && query.has("partNumber")),
      mute: () => relay.mute(),
      mend: () => relay.heal(),
      says: /did not get into bucket backups \((?:nothing moved|no answer came) for \d+ s\)/,
    };
  },
  "a directory of a network file system": async (stack, root) => {
    await Deno.mkdir(`${root}/server`);
    const mount = stack.use(await FreezableMount.open(`${root}/server`, `${root}/mount`));
    return {
      fields: { type: "local", local_path: mount.path },
      isAtWork: isWriting,
      mute: () => mount.freeze(),
      mend: () => mount.thaw(),
      says: /the file system (?:did not answer for|still does not answer)/,
    };
  },
};

/**
 * Creates a source with 96 MiB of noise, so that a run is in the middle of its upload when the peer falls
 * silent.
 */
async function growSource(root: string): Promise<string> {
  const path = `${root}/source`;
  await Deno.mkdir(path);
  const noise = new Uint8Array(2 ** 16);
  const file = await Deno.open(`${path}/noise`, { create: true, write: true });
  for (let written = 0; written < 96 * 2 ** 20;) written += await file.write(crypto.getRandomValues(noise));
  file.close();
  return path;
}

async function logOf(plane: ControlPlane, id: number): Promise<{ status: string; output: string }> {
  return (await plane.api.call("GET", `/backup-task-logs/${id}`)).body.data;
}

Deno.test("runs that meet a mute peer end or say what they wait for, and the agent goes on", {
  ignore: Deno.uid() !== 0,
}, async (t) => {
  using _awake = keepAwake();
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(
    await startControlPlane({ program: FROM_SOURCE, logLevel: "info", environment: LIMITS }),
  );
  const sourceRoot = await Deno.makeTempDir({ prefix: "rearguard-mute-" });
  stack.defer(() => Deno.remove(sourceRoot, { recursive: true }));
  const source_path = await growSource(sourceRoot);
  const { api, serverId: remote_server_id } = plane;
  for (const [name, open] of Object.entries(PEERS)) {
    await t.step(name, async () => {
      await using parts = new AsyncDisposableStack();
      const root = await Deno.makeTempDir({ prefix: "rearguard-mute-" });
      parts.defer(() => Deno.remove(root, { recursive: true }));
      const peer = await open(parts, root);
      parts.defer(() => peer.mend());
      const backup_destination_id = await api.create("/backup-destinations", { label: name, ...peer.fields });
      const taskId = await api.create("/backup-tasks", {
        label: name,
        type: "files",
        source_path,
        remote_server_id,
        backup_destination_id,
        store_path: "runs",
        custom_cron_expression: "0 3 1 1 *",
      });
      const started = await api.call("POST", `/backup-tasks/${taskId}/run`);
      const logId: number = started.body.backup_task_log_id;
      await until(async () => peer.isAtWork((await logOf(plane, logId)).output));
      peer.mute();
      const muted = systemClock.monotonic();
      await until(async () => {
        const { status, output } = await logOf(plane, logId);
        return peer.says.test(output) || ["failed", "successful"].includes(status);
      }, BOUND).catch(async () => assert.fail(`Nothing was said: ${(await logOf(plane, logId)).output}`));
      const { status, output } = await logOf(plane, logId);
      // A run that succeeded had finished before the peer fell silent.
      if (status !== "successful") assert.match(output, peer.says);
      assert.ok(systemClock.monotonic() - muted < BOUND);
      // The peer is still silent. Even so, cancelling ends the run, and the agent can use another
      // destination.
      await api.call("POST", `/backup-tasks/${taskId}/cancel`);
      await until(async () => !["queued", "running"].includes((await logOf(plane, logId)).status), 90_000);
      const place = await Deno.makeTempDir({ prefix: "rearguard-mute-" });
      parts.defer(() => Deno.remove(place, { recursive: true }));
      const other = await api.create("/backup-destinations", {
        label: "other",
        type: "local",
        local_path: place,
      });
      const checked = await api.call("POST", `/backup-destinations/${other}/check`, { remote_server_id });
      assert.equal(checked.body.data.ok, true, JSON.stringify(checked.body));
    });
  }
});

Deno.test("a webhook that is mute keeps no run and no other webhook waiting", async () => {
  using _awake = keepAwake();
  await using stack = new AsyncDisposableStack();
  const plane = stack.use(await startControlPlane());
  const receiver = stack.use(new HttpReceiver());
  const relay = stack.use(new Relay(Number(new URL(receiver.url).port)));
  relay.mute();
  const root = await Deno.makeTempDir({ prefix: "rearguard-mute-" });
  stack.defer(() => Deno.remove(root, { recursive: true }));
  await Deno.mkdir(`${root}/source`);
  await Deno.writeTextFile(`${root}/source/file`, "content");
  const { api, serverId: remote_server_id } = plane;
  const { database, keyring } = plane.services;
  const stream = async (label: string, port: number) => {
    const notifications = { on_success: true, on_failure: true };
    const fields = { label, type: "webhook", value: "https://example.com", notifications };
    const id = await api.create("/notification-streams", fields);
    // The API accepts only https, and the receiver has no certificate. So the URL is written into the
    // database.
    const sealed = keyring.encrypt(`http://127.0.0.1:${port}/${label}`);
    await database`update notification_streams set value_encrypted = ${sealed} where id = ${id}`;
    return id;
  };
  const streams = [
    await stream("mute", relay.port),
    await stream("heard", Number(new URL(receiver.url).port)),
  ];
  const taskId = await api.create("/backup-tasks", {
    label: "told",
    type: "files",
    source_path: `${root}/source`,
    remote_server_id,
    backup_destination_id: await api.create("/backup-destinations", {
      label: "here",
      type: "local",
      local_path: `${root}/stored`,
    }),
    custom_cron_expression: "0 3 1 1 *",
    notification_stream_ids: streams,
  });
  for (let run = 1; run <= 3; run++) {
    assert.equal((await api.run(taskId)).status, "successful");
    await until(() => receiver.received.filter(({ path }) => path === "/heard").length > 0, BOUND);
  }
  assert.equal(receiver.received.some(({ path }) => path === "/mute"), false);
});
