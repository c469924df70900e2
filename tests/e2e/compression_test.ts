/**
 * Makes backups with several compression levels, through a control plane and an agent. Restores each backup
 * from its fetched objects and through the API. Then verifies and drills the backup. From a backup of files,
 * also lists the files and downloads one.
 */
import assert from "node:assert/strict";
import type { JobSource } from "../../src/protocol/job.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { destinationFixtures } from "../support/fixtures/destinations.ts";
import {
  type BackupRecord,
  manifestOf,
  objectsIn,
  restoreFetched,
} from "../support/fixtures/stored_backup.ts";
import { taskSource } from "../support/fixtures/task_source.ts";
import { startControlPlane } from "../support/servers/control_plane.ts";
import { filesFixture } from "../support/sources/files.ts";
import { postgresqlFixture } from "../support/sources/postgresql.ts";

const LEVELS = [0, 1, 3, 19];
const ENCRYPTIONS = { plain: null, password: "correct horse" };
/**
 * Shell command that writes text. The text is long enough for several frames at level 0. Most of it is easy
 * to compress, because level 19 needs a second for each megabyte of text that is hard to compress. Only the
 * end of the text is hard to compress.
 */
const TEXT = `(yes 'all work and no play' | head -c 3900000 || true; seq 100000 200000) > "$1/numbers"`;

const fixtures = {
  files: () => filesFixture({ noise: 1_000_000, text: 1_000_000 }),
  postgresql: postgresqlFixture,
};

for (const type of ["files", "postgresql"] as const) {
  for (const [encryption, password] of Object.entries(ENCRYPTIONS)) {
    Deno.test(`compression levels of ${type}, ${encryption}: stored, restored, verified`, async (t) => {
      await using stack = new AsyncDisposableStack();
      const { api, serverId } = stack.use(await startControlPlane());
      const source = stack.use(await fixtures[type]());
      const { spec } = source.variants[0]!;
      if (spec.type === "files") await shell(TEXT, spec.path);
      const original = await source.describeOriginal();
      const destination = stack.use(await destinationFixtures.local!());
      const destinationId = await api.create("/backup-destinations", {
        label: "here",
        ...destination.fields,
      });
      const sizes: number[] = [];
      for (const level of LEVELS) {
        await t.step(`level ${level}`, async () => {
          await source.reset();
          const directory = `level ${level}`;
          const taskId = await api.create("/backup-tasks", {
            ...taskSource(spec),
            remote_server_id: serverId,
            backup_destination_id: destinationId,
            label: directory,
            store_path: destination.storePath(directory),
            frequency: "daily",
            time_to_run_at: "01:00",
            encryption_password: password,
            compression_level: level,
            compression_threads: 2,
          });
          const log = await api.run(taskId);
          assert.equal(log.status, "successful", log.output);
          assert.doesNotMatch(log.output, /Warning: /);
          const [record]: BackupRecord[] =
            (await api.call("GET", `/backup-tasks/${taskId}/backups`)).body.data;
          sizes.push(record!.size);
          const objects = await objectsIn(destination, directory);
          await restoreFetched(objects, manifestOf(objects, record!), source, password);
          assert.deepEqual(await source.describeRestored(), original);
          await source.reset();
          for (const request of source.api!.requests) {
            const restore = await api.carryOut(`/backups/${record!.id}/restore`, request);
            assert.equal(restore.status, "successful", restore.output);
          }
          assert.deepEqual(await source.api!.describeRestored(), original);
          for (const check of ["verify", "drill"]) {
            const checked = await api.carryOut(`/backups/${record!.id}/${check}`);
            assert.equal(checked.status, "successful", checked.output);
          }
          if (spec.type === "files") await readOneFile(api, record!.id, spec);
        });
      }
      const [stored, fast, usual, small] = sizes as [number, number, number, number];
      // For some data, level 1 yields smaller archives than level 3, so `fast` and `usual` are not compared.
      assert.ok(stored > Math.max(fast, usual), sizes.join(", "));
      // For some data, archives of level 19 are hardly smaller than those of level 3. Level 19 has larger
      // frames, hence the tolerance of 2%.
      assert.ok(fast > small && usual * 1.02 > small, sizes.join(", "));
    });
  }
}

type Caller = Awaited<ReturnType<typeof startControlPlane>>["api"];

async function readOneFile(api: Caller, id: number, { path }: Extract<JobSource, { type: "files" }>) {
  const expected = await Deno.readFile(`${path}/numbers`);
  const listed = await api.call("GET", `/backups/${id}/files`);
  assert.equal(listed.status, 200);
  const file = `/backups/${id}/files/download?path=numbers`;
  const headers = { authorization: `Bearer ${api.token}` };
  const whole = await fetch(`${api.url}/api${file}`, { headers });
  assert.deepEqual(await whole.bytes(), expected);
  const range = { ...headers, range: "bytes=4000000-4000099" };
  const part = await fetch(`${api.url}/api${file}`, { headers: range });
  assert.equal(part.status, 206);
  assert.deepEqual(await part.bytes(), expected.slice(4_000_000, 4_000_100));
}
