import assert from "node:assert/strict";
import { BackupRun } from "../../tests/support/fixtures/backup_run.ts";
import { controlPlaneFixture } from "../../tests/support/sources/control_plane.ts";
import { systemClock } from "../domain/clock.ts";
import { EXPORT_END } from "../store/export/export.ts";
import { archiveFault, archiveLines } from "./archive.ts";
import { findManifests } from "./manifests.ts";
import { Passwords } from "./passwords.ts";
import { openRepository } from "./repository.ts";

Deno.test("an export is found, compared with its manifest and read back; damage is reported", async () => {
  await using _fixture = await controlPlaneFixture();
  await using run = await BackupRun.open();
  await run.run({ type: "control_plane" });
  await Deno.writeTextFile(`${run.directory}/other.manifest.json`, `{"format": "rearguard-backup"}`);
  await using repository = await openRepository(run.directory, {}, systemClock);
  const skipped: string[] = [];
  const [found, ...others] = await findManifests(
    repository,
    (path, reason) => skipped.push(`${path}: ${reason}`),
  );
  assert.equal(others.length, 0);
  assert.match(
    skipped.join(),
    /^other\.manifest\.json: it is not a manifest of this version: format_version/,
  );
  assert.equal(found!.manifest.source.type, "control_plane");
  assert.equal(await archiveFault(repository, found!), null);
  let last = "";
  for await (const line of archiveLines(repository, found!, new Passwords({}))) last = line;
  assert.equal(last, EXPORT_END);
  const path = `${run.directory}/${found!.manifest.objects[0]!.name}`;
  const content = await Deno.readFile(path);
  content[content.length >> 1]! ^= 1;
  await Deno.writeFile(path, content);
  assert.match((await archiveFault(repository, found!))!, /has another SHA-256 than was stored$/);
  await Deno.truncate(path, 10);
  assert.match((await archiveFault(repository, found!))!, /has 10 bytes in place of \d+$/);
  await Deno.remove(path);
  assert.match((await archiveFault(repository, found!))!, /can't be read/);
});

Deno.test("a repository's keys come from the environment", async () => {
  const refused = (repository: string, reason: RegExp) =>
    assert.rejects(openRepository(repository, {}, systemClock), (error: Error) => {
      assert.match(error.message, reason);
      assert.doesNotMatch(error.message, /hunter2/);
      return true;
    });
  await refused("s3://safe/in", /set AWS_ACCESS_KEY_ID in the environment$/);
  await refused("sftp://backup@host/in", /set SFTP_PRIVATE_KEY_FILE or SFTP_PASSWORD in the environment$/);
  await refused("sftp://backup:hunter2@host/in", /Put the password into SFTP_PASSWORD/);
  await refused("sftp://host/in", /write sftp:\/\/USER@HOST:PORT\/DIRECTORY/);
  await refused("webdav://ada@host/in", /^Cannot log in to host: set WEBDAV_PASSWORD in the environment$/);
  await refused("webdavs://ada:hunter2@host/in", /Put the password into WEBDAV_PASSWORD/);
  await refused(
    "webdavs://ada@host/in?x",
    /write webdavs:\/\/USER@HOST:PORT\/PATH, or webdav:\/\/ without TLS/,
  );
  await refused("ftp://host/in", /Copy the files here/);
});
