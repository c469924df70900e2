/** Tests the behaviour that every type of database server must have in restores. */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import type { RestoreServer, SourceFixture } from "../../../../tests/support/sources/fixture.ts";
import { mysqlFixture } from "../../../../tests/support/sources/mysql.ts";
import { postgresqlFixture } from "../../../../tests/support/sources/postgresql.ts";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { RunFailedError } from "../../ports.ts";

const KEY = { type: "passphrase" as const, passphrase: "correct horse" };
const fixtures = { postgresql: postgresqlFixture, mysql: mysqlFixture };

function target(server: RestoreServer, changes: Partial<DatabaseTarget> = {}): DatabaseTarget {
  return {
    type: "database",
    ...server.login,
    run_as: null,
    names: null,
    database_name: null,
    overwrite: false,
    ...changes,
  };
}

async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot restore backup 31: [^\n]+$/);
  return error.message;
}

/** Creates a database that contains one object of every type. */
async function makeMine({ sql, quote, login }: RestoreServer, name: string): Promise<void> {
  const maintenance = login.engine === "mysql" ? "mysql" : "postgres";
  await sql(maintenance, `create database ${quote(name)}`);
  await sql(
    name,
    "create table mine (a int primary key); insert into mine values (1); create view seen as select a from mine",
  );
  if (login.engine === "mysql") {
    await sql(
      name,
      `create procedure nothing() select 1; create table child (a int, foreign key (a) references mine (a));
       create trigger up before insert on mine for each row set new.a = new.a + 1;
       create event later on schedule at '2037-01-01' do select 1; create sequence numbers`,
    );
  }
}

const dropDatabases = (server: RestoreServer, ...names: string[]) =>
  server.sql(
    server.login.engine === "mysql" ? "mysql" : "postgres",
    names.map((name) => `drop database if exists ${server.quote(name)};\n`).join(""),
  );

async function backedUp(
  fixture: SourceFixture,
  variant = 0,
): Promise<{ run: BackupRun; backup: StoredBackup }> {
  const run = await BackupRun.open();
  const backup = await run.run(fixture.variants[variant]!.spec);
  run.lines.length = 0;
  return { run, backup };
}

const archiveOf = (backup: StoredBackup, database: string) =>
  backup.objects.find((object) => object.role === "archive" && object.database === database)!;

for (const [engine, open] of Object.entries(fixtures)) {
  Deno.test(`databases are restored on ${engine}`, async (t) => {
    await using fixture = await open();
    const server = fixture.restoreServer!;
    const [shop, odd] = server.names;
    const original = await fixture.describeOriginal();
    await server.prepare();

    for (const [variant, { name, spec }] of fixture.variants.entries()) {
      await t.step(`all of them, where none exists: ${name}`, async () => {
        await fixture.reset();
        await server.prepare();
        const { run, backup } = await backedUp(fixture, variant);
        await using _ = run;
        await restore(run, backup, { target: target(server) });
        assert.deepEqual(await fixture.describeRestored(), original);
        await assertDatabases(server, odd, shop);
        assert.deepEqual(run.warnings, []);
        assert.equal(
          run.lines.some((line) => /left as they are on the server/.test(line)),
          spec.type === "database" && spec.names.includes("*"),
        );
        for (const secret of fixture.secrets) assert.ok(!run.lines.join("\n").includes(secret));
      });
    }
    const described = await server.describe(shop);

    await t.step("one of them, encrypted, under another name", async () => {
      await using run = await BackupRun.open();
      const backup = await run.run(fixture.variants[0]!.spec, {
        encryption: { type: "password", password: KEY.passphrase },
      });
      const wanted = target(server, { names: [shop], database_name: "copy" });
      await restore(run, backup, { target: wanted, key: KEY });
      await assertDatabases(server, odd, "copy", shop);
      assert.deepEqual(await server.describe("copy"), described);
      await dropDatabases(server, "copy");
    });

    const { run, backup } = await backedUp(fixture);
    await using _ = run;
    const mine = target(server, { names: [shop], database_name: "mine" });

    await t.step("a non-empty one is replaced only with overwrite", async () => {
      await makeMine(server, "mine");
      const before = await server.describe("mine");
      assert.match(
        await failure(restore(run, backup, { target: mine })),
        /database mine is there already and not empty\. Set overwrite/,
      );
      assert.deepEqual(await server.describe("mine"), before);
      await restore(run, backup, { target: { ...mine, overwrite: true } });
      assert.deepEqual(await server.describe("mine"), described);
      await assertDatabases(server, odd, "mine", shop);
      await restore(run, backup, { target: { ...mine, overwrite: true } });
      assert.deepEqual(await server.describe("mine"), described);
      await dropDatabases(server, "mine");
    });

    await t.step("an empty one is restored into", async () => {
      const as = engine === "mysql" ? "character set utf8mb4 collate utf8mb4_bin" : "";
      await server.sql(engine === "mysql" ? "mysql" : "postgres", `create database mine ${as}`);
      await restore(run, backup, { target: mine });
      assert.deepEqual(await server.describe("mine"), described);
      await dropDatabases(server, "mine");
    });

    await t.step(
      "leftovers of a killed restore are dropped, a user's database of the same name is not",
      async () => {
        await server.sql(engine === "mysql" ? "mysql" : "postgres", "create database mine_rearguard_fresh");
        assert.match(
          await failure(restore(run, backup, { target: mine })),
          /database mine_rearguard_fresh is in the way\. Drop or rename it/,
        );
        await assertDatabases(server, odd, "mine_rearguard_fresh", shop);
        await server.sql(
          "mine_rearguard_fresh",
          engine === "mysql"
            ? "create table rearguard_unfinished (a int)"
            : "comment on database mine_rearguard_fresh is 'Rearguard: unfinished restore'",
        );
        await restore(run, backup, { target: mine });
        await assertDatabases(server, odd, "mine", shop);
        await dropDatabases(server, "mine");
      },
    );

    await t.step("a wrong password and a database that is not in the backup are rejected", async () => {
      const wrong = await failure(restore(run, backup, { target: { ...mine, password: "wrong" } }));
      assert.match(
        wrong,
        /Cannot use \w+ at 127\.0\.0\.1, port \d+ as \w+: .*(authentication failed|denied)/,
      );
      assert.match(
        await failure(restore(run, backup, { target: { ...mine, names: ["none"] } })),
        /it holds no database none/,
      );
    });

    await t.step("a cancelled restore leaves nothing", async () => {
      const cancelled = await backedUp(fixture);
      await using at = cancelled.run;
      at.onLine = (line) => {
        if (line.startsWith("Loading database")) queueMicrotask(() => at.cancel());
      };
      await assert.rejects(restore(at, cancelled.backup, { target: mine }), { name: "RunAbortedError" });
      await assertDatabases(server, odd, shop);
      assert.deepEqual(at.warnings, []);
    });

    await t.step("a damaged archive leaves the original as it was", async () => {
      await makeMine(server, "mine");
      const before = await server.describe("mine");
      const wanted = { ...mine, names: [shop], overwrite: true };
      const archive = `${run.directory}/${archiveOf(backup, shop).name}`;
      await Deno.copyFile(archive, `${archive}.kept`);
      const flip = 'printf "\\\\x$(printf %02x $(( $(od -An -tu1 -j9000 -N1 "$1") ^ 1 )))" | ' +
        'dd of="$1" bs=1 seek=9000 conv=notrunc status=none';
      for (const damage of [flip, 'truncate -s -100 "$1"', 'rm "$1"']) {
        await shell(damage, archive);
        const message = await failure(restore(run, backup, { target: wanted }));
        assert.match(message, /its SHA-256 is|it has \d+ bytes, but|it does not exist/);
        assert.deepEqual(await server.describe("mine"), before);
        await assertDatabases(server, odd, "mine", shop);
        await Deno.copyFile(`${archive}.kept`, archive);
      }
    });

    await t.step("a dump that does not load leaves the original as it was", async () => {
      const before = await server.describe("mine");
      await using at = await BackupRun.open();
      const { objects } = await at.run({ ...fixture.variants.at(-1)!.spec, names: [odd] } as never);
      const bad = await spoil(at, archiveOf({ objects } as StoredBackup, odd));
      const spoiled = { ...backup, objects: [bad] };
      const wanted = { ...mine, names: [odd], overwrite: true };
      assert.match(
        await failure(restore(at, spoiled, { target: wanted })),
        /database .* can't be loaded: \w+ exited with \d+: .*no_such_table/,
      );
      assert.deepEqual(await server.describe("mine"), before);
      await assertDatabases(server, odd, "mine", shop);
    });
  });
}

/** Appends a failing statement to a dump. Returns the archive with its new digest. */
async function spoil(run: BackupRun, object: StoredBackup["objects"][0]) {
  const sha256 = await shell(
    `cd "$(dirname "$1")"; { zstd -dc "$1"; echo 'select * from no_such_table;'; } | zstd -q > new; mv new "$1"; sha256sum < "$1"`,
    `${run.directory}/${object.name}`,
  );
  const { size } = await Deno.stat(`${run.directory}/${object.name}`);
  return { ...object, size, sha256: sha256.slice(0, 64) };
}

async function assertDatabases(server: RestoreServer, ...names: string[]): Promise<void> {
  assert.deepEqual((await server.list()).sort(), names.sort());
}
