/** Tests how `recover` reads destinations that have a login, such as SFTP servers. */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../tests/support/fixtures/backup_run.ts";
import { TestSshd } from "../../tests/support/servers/sshd.ts";
import { TestWebdav } from "../../tests/support/servers/webdav.ts";
import { systemClock } from "../domain/clock.ts";
import { archiveFault } from "./archive.ts";
import { findManifests } from "./manifests.ts";
import { openRepository } from "./repository.ts";

/** Backs up a small tree. Stores the backup in `in/naïve 100%` below `directory`. */
async function backUpInto(directory: string, owner: string): Promise<void> {
  await using run = await BackupRun.open();
  await Deno.mkdir(`${run.root}/tree`);
  await Deno.writeTextFile(`${run.root}/tree/file`, "content");
  await run.run({ type: "files", path: `${run.root}/tree`, excluded_paths: [], allow_unreadable: false });
  await shell(
    'mkdir "$2/in" && cp -r "$1" "$2/in/naïve 100%" && chown -R "$3" "$2/in" && chmod -R u+rwX "$2/in"',
    run.directory,
    directory,
    owner,
  );
}

async function readBackup(address: string, environment: Record<string, string>) {
  await using repository = await openRepository(address, environment, systemClock);
  const [found, ...others] = await findManifests(
    repository,
    (path, reason) => assert.fail(`${path}: ${reason}`),
  );
  assert.equal(others.length, 0);
  assert.deepEqual(found!.missing, []);
  assert.equal(await archiveFault(repository, found!), null);
  const { description, destination } = repository;
  return { description, destination, directory: repository.directory(found!.directory) };
}

Deno.test("a directory on a WebDAV server is read, whole and below its root", async () => {
  await using webdav = await TestWebdav.open("rclone");
  await backUpInto(webdav.directory, String(Deno.uid()));
  const { username, password, port, url } = webdav;
  const address = `webdav://${encodeURIComponent(username)}@127.0.0.1:${port}`;
  const environment = { WEBDAV_PASSWORD: password };
  const values = { webdav_username: username, webdav_password: password };
  assert.deepEqual(await readBackup(address, environment), {
    description: `WebDAV ${url}`,
    destination: { label: "Recovered", type: "webdav", values: { ...values, webdav_url: `${url}/` } },
    directory: "in/naïve 100%",
  });
  const below = `/in/${encodeURIComponent("naïve 100%")}`;
  assert.deepEqual(await readBackup(`${address}${below}`, environment), {
    description: `WebDAV ${url}${below}`,
    destination: { label: "Recovered", type: "webdav", values: { ...values, webdav_url: `${url}${below}` } },
    directory: ".",
  });
  const refused = (text: string, own: Record<string, string>, reason: RegExp) =>
    assert.rejects(openRepository(text, own, systemClock), reason);
  await refused(`${address}/none`, environment, /it does not exist\. Check the address and the path in it/);
  await refused(address, { WEBDAV_PASSWORD: "not-it" }, /\(401\)\. Check its user and WEBDAV_PASSWORD/);
});

Deno.test("a directory on an SSH server is read, by its path and below the home directory", async () => {
  await using sshd = await TestSshd.open();
  await backUpInto(sshd.directory, `${sshd.uid}:${sshd.gid}`);
  const { host, port, username, directory, hostKey } = sshd;
  const keyFile = await Deno.makeTempFile();
  await Deno.writeTextFile(keyFile, sshd.privateKey);
  const environment = { SFTP_HOST_KEY: hostKey, SFTP_PRIVATE_KEY_FILE: keyFile };
  const address = `sftp://${username}@${host}:${port}`;
  assert.deepEqual(await readBackup(`${address}${directory}`, environment), {
    description: `SFTP ${username}@${host}:${port} ${directory}`,
    destination: {
      label: "Recovered",
      type: "sftp",
      values: {
        sftp_host: host,
        sftp_port: port,
        sftp_username: username,
        sftp_private_key: sshd.privateKey,
        sftp_host_key: hostKey,
        sftp_path: directory,
      },
    },
    directory: `${directory}/in/naïve 100%`,
  });
  await using repository = await openRepository(`${address}/~/x/../none`, environment, systemClock);
  assert.equal(repository.directory("a"), "none/a");
  await assert.rejects(
    Array.fromAsync(repository.paths(() => {})),
    /Cannot list none at .*: it does not exist/,
  );
  await Deno.remove(keyFile);
});
