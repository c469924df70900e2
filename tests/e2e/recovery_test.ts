/** Tests that a control plane can be recovered from its backups after it has lost its database. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { withDigest } from "../../agent/engine/manifest/manifest_digest.ts";
import { ABILITIES } from "../../src/domain/abilities.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { issueToken } from "../../src/services/access/tokens.ts";
import { insertUser } from "../../src/store/access/users.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { serve } from "../support/servers/control_plane.ts";
import { emptyDatabase, testServices } from "../support/fixtures/database.ts";
import {
  ADMIN,
  knownAfter,
  loseControlPlane,
  PASSWORD,
  recoverInto,
  restoreEverything,
} from "../support/servers/lost_control_plane.ts";
import { rightsOf } from "../support/assertions/rights.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { TestWebdav } from "../support/servers/webdav.ts";
import { atTerminal } from "../support/clients/terminal.ts";

function tokenIn(stdout: string): string {
  const token = /^A new administrator's API token, shown only now: (rg_\S+)$/m.exec(stdout)?.[1];
  assert.ok(token, stdout);
  return token;
}

/**
 * Writes backups of another control plane into the same directory. They belong to a task with the same number
 * and name as a task of the recovered control plane.
 */
async function writeForeign(root: string): Promise<void> {
  await shell('cp -a "$1/backups/in/files" "$1/backups/foreign" && rm "$1"/backups/foreign/*.age', root);
  const directory = `${root}/backups/foreign`;
  for (const { name } of Deno.readDirSync(directory)) {
    if (!name.endsWith(".manifest.json")) continue;
    const document = JSON.parse(await Deno.readTextFile(`${directory}/${name}`));
    if (document.encryption !== null) {
      await Deno.remove(`${directory}/${name}`);
      continue;
    }
    delete document.manifest_sha256;
    document.hostname = "elsewhere";
    document.finished_at = new Date().toISOString();
    const text = () => withDigest(`${JSON.stringify(document, null, 2)}\n`);
    await Deno.writeTextFile(`${directory}/${name}`, text());
    for (const object of document.objects) object.name = object.name.replace("backup_", "backup_gone_");
    await Deno.writeTextFile(`${directory}/gone.manifest.json`, text());
  }
}

Deno.test("a control plane that lost its database is made anew", async (t) => {
  await using stack = new AsyncDisposableStack();
  const stage = await loseControlPlane(stack);
  const { root, s3, sshd, backups } = stage;
  const bucket = `s3://${s3.bucket}`;
  const server = `sftp://${sshd.username}@${sshd.host}:${sshd.port}${sshd.directory}`;
  const encrypted = { ENCRYPTION_PASSWORDS: PASSWORD };
  const byKey = { SFTP_HOST_KEY: sshd.hostKey, SFTP_PRIVATE_KEY_FILE: stage.keyFile };

  await t.step("of its backup in a directory, with its tokens and tasks", async () => {
    await using made = await emptyDatabase();
    const told = await recoverInto(stage, made, ["--from", `${root}/backups`], encrypted);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, /^Imported 3 newer backups: backup_/m);
    // The control plane's backup contains no records of backups that were made later. The recovery finds such
    // backups in this directory, but not at other destinations.
    const known = knownAfter(stage, root);
    await using inner = new AsyncDisposableStack();
    const api = await restoreEverything({ ...stage, stack: inner }, made, stage.token, known);
    assert.equal((await api.call("GET", "/backup-tasks")).body.meta.total, 2);
    const owned = (await api.call("GET", "/backups?per_page=100")).body.data;
    const own = owned.find(({ engine }: { engine: string }) => engine === "rearguard");
    assert.equal(own.backup_task_id, (await api.call("GET", "/backup-tasks")).body.data.at(-1).id);
    assert.equal((await new ApiCaller(api.url, tokenIn(told.stdout)).call("GET", "/user")).status, 200);
    const again = await recoverInto(stage, made, ["--from", `${root}/backups`]);
    assert.match(again.stderr, /^Cannot recover: the database is not empty/);
  });

  await t.step("of a copy of the directory: newer backups are known by where they were", async () => {
    await writeForeign(root);
    await shell('cp -a "$1/backups" "$1/copy" && cp -a "$1/backups" "$1/copy/again"', root);
    await using made = await emptyDatabase();
    const unknown = await recoverInto(stage, stack.use(await emptyDatabase()), ["--from", `${root}/copy`]);
    assert.equal(unknown.code, 0, unknown.stderr);
    assert.match(
      unknown.stdout,
      /^Left out backup_\S+: no known password decrypts it\. Restore it with stock tools/m,
    );
    assert.match(unknown.stdout, /^Imported 2 newer backups: backup_/m);
    const told = await recoverInto(stage, made, ["--from", `${root}/copy`], encrypted);
    assert.equal(told.code, 0, told.stderr);
    assert.match(told.stdout, /^Left out gone\.manifest\.json: backup_\S+, backup_\S+ is not there$/m);
    await shell('rm -rf "$1/copy"', root);
    await using inner = new AsyncDisposableStack();
    const known = knownAfter(stage, root);
    const foreign = known.find(({ directory, file_name }) =>
      directory.endsWith("in/files") && file_name.endsWith("zst")
    )!;
    const api = await restoreEverything({ ...stage, stack: inner }, made, stage.token, [...known, foreign]);
    const entered = (await api.call("GET", "/backups?per_page=100")).body.data;
    const [theirs] = entered.filter(({ directory }: { directory: string }) => directory.endsWith("/foreign"));
    assert.equal(theirs.backup_task_id, null);
    await shell('rm -rf "$1/backups/foreign"', root);
  });

  await t.step("of its encrypted backup in a bucket", async () => {
    await using made = await emptyDatabase();
    const closed = await recoverInto(stage, made, ["--from", bucket]);
    assert.match(closed.stderr, /^Cannot decrypt .*: no known password decrypts it/);
    const other = { SECRET_KEY: randomBytes(32).toString("base64"), ENCRYPTION_PASSWORDS: PASSWORD };
    const foreign = await recoverInto(stage, made, ["--from", bucket], other);
    assert.match(
      foreign.stderr,
      /^Cannot recover: this database holds secrets that are sealed with key \w{8} \(\d+ secrets?\), and .* holds key \w{8}/,
    );
    const told = await recoverInto(stage, made, ["--from", bucket], {
      ENCRYPTION_PASSWORDS: `another\n${PASSWORD}`,
    });
    assert.equal(told.code, 0, told.stderr);
    await using inner = new AsyncDisposableStack();
    await restoreEverything({ ...stage, stack: inner }, made, stage.token, knownAfter(stage, "in"));
  });

  await t.step("of its encrypted backup on an SSH server, which must show the pinned host key", async () => {
    await using made = await emptyDatabase();
    const secrets = { ...byKey, ...encrypted };
    for (const pinned of ["", `SHA256:${"A".repeat(43)}`]) {
      const { code, stderr } = await recoverInto(stage, made, ["--from", server], {
        ...secrets,
        SFTP_HOST_KEY: pinned,
      });
      assert.equal(code, 1);
      assert.match(stderr, /^Cannot trust /);
      assert.ok(stderr.includes(sshd.hostKey), stderr);
      assert.match(stderr, /set SFTP_HOST_KEY to /);
    }
    const stranger = await recoverInto(stage, made, ["--from", server], {
      ...secrets,
      SFTP_PRIVATE_KEY_FILE: "",
      SFTP_PASSWORD: "not-it",
    });
    assert.match(stranger.stderr, /does not let the user in with the password\. Check its user/);
    assert.doesNotMatch(stranger.stderr, /not-it/);
    await using inner = new AsyncDisposableStack();
    // Creates a directory that only root can read, like lost+found in the root of a file system.
    await Deno.mkdir(`${sshd.directory}/lost+found`, { mode: 0o700 });
    inner.defer(() => Deno.remove(`${sshd.directory}/lost+found`));
    const told = await recoverInto(stage, made, ["--from", server], secrets);
    assert.equal(told.code, 0, told.stderr);
    if (Deno.uid() === 0) assert.match(told.stdout, /^Left out lost\+found: the user may not read it$/m);
    await restoreEverything(
      { ...stage, stack: inner },
      made,
      stage.token,
      knownAfter(stage, sshd.directory),
    );
  });

  const places = [
    ["in a directory", `${root}/backups`, root, {}],
    ["in a bucket", bucket, "in", {}],
    ["on an SSH server", server, sshd.directory, byKey],
  ] as const;
  for (const [where, place, directory, environment] of places) {
    await t.step(`of the manifests ${where}`, async () => {
      await using made = await emptyDatabase();
      const args = ["--from", place, "--from-manifests"];
      if (place === bucket) {
        const settings = { ...encrypted, ALLOW_PRIVATE_ADDRESSES: "0" };
        const refused = await recoverInto(stage, made, args, settings);
        assert.match(
          refused.stderr,
          /^Cannot recover: .* only if its operator has allowed it by ALLOW_PRIVATE/,
        );
      }
      const closed = await recoverInto(stage, made, args, environment);
      assert.match(closed.stderr, /^Cannot recover: no known password decrypts backup_/);
      const told = await recoverInto(stage, made, args, {
        ...environment,
        ENCRYPTION_PASSWORDS: PASSWORD,
      });
      assert.equal(told.code, 0, told.stderr);
      await using inner = new AsyncDisposableStack();
      const there = backups.filter((backup) => backup.directory.startsWith(directory));
      assert.equal(there.length, directory === root ? 4 : 3);
      await restoreEverything({ ...stage, stack: inner }, made, tokenIn(told.stdout), there);
    });
  }

  await t.step("of the manifests on a WebDAV server", async () => {
    await using made = await emptyDatabase();
    await using inner = new AsyncDisposableStack();
    const webdav = inner.use(await TestWebdav.open("rclone"));
    await shell('cp -a "$1/backups/late" "$2"', root, webdav.directory);
    const address = `webdav://${encodeURIComponent(webdav.username)}@127.0.0.1:${webdav.port}/`;
    const environment = { ...encrypted, WEBDAV_PASSWORD: webdav.password };
    const told = await recoverInto(stage, made, ["--from", address, "--from-manifests"], environment);
    assert.equal(told.code, 0, told.stderr);
    assert.ok(!`${told.stdout}${told.stderr}`.includes(webdav.password), "a secret is told");
    const there = backups.filter((backup) => backup.directory.endsWith("/late"));
    assert.equal(there.length, 1);
    await restoreEverything({ ...stage, stack: inner }, made, tokenIn(told.stdout), there);
  });

  await t.step("and an SSH server's password is asked for on a terminal", async () => {
    await using made = await emptyDatabase();
    const { host, port, username } = sshd;
    const { screen, code } = await atTerminal(
      [
        Deno.execPath(),
        "run",
        ...rightsOf("admin"),
        ADMIN,
        "recover",
        "--from",
        `sftp://${username}@${host}:${port}/~/none`,
      ],
      [[`The password of ${username} at ${host}:`, sshd.password ?? "not-it"]],
      {
        ...Deno.env.toObject(),
        DATABASE_URL: made.url,
        DATA_DIR: `${root}/none`,
        SFTP_HOST_KEY: sshd.hostKey,
      },
    );
    assert.equal(code, 1);
    if (sshd.password !== null) assert.ok(!screen.includes(sshd.password));
    assert.match(
      screen,
      sshd.password === null ? /does not let the user in/ : /Cannot list none at .*: it does not exist/,
    );
  });

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
    assert.match(told.stderr, /^Cannot recover: .* contains no complete backup of a control plane/);
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
