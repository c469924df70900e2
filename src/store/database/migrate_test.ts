import assert from "node:assert/strict";
import { systemClock } from "../../domain/clock.ts";
import { openDatabase } from "./database.ts";
import { migrate, type Migration, MigrationError, readMigrations, schemaVersion } from "./migrate.ts";
import { emptyDatabase } from "../../../tests/support/fixtures/database.ts";

const migrations: Migration[] = [
  {
    version: 1,
    name: "0001_one",
    text: "create table one (id int); create table two (id int)",
    checksum: "a",
  },
  { version: 2, name: "0002_three", text: "create table three (id int)", checksum: "b" },
];

Deno.test("migrations are applied once, in order", async () => {
  await using db = await emptyDatabase();
  assert.equal(await schemaVersion(db.database), 0);
  assert.deepEqual(await migrate(db.database, migrations.slice(0, 1), systemClock), ["0001_one"]);
  assert.deepEqual(await migrate(db.database, migrations, systemClock), ["0002_three"]);
  assert.deepEqual(await migrate(db.database, migrations, systemClock), []);
  assert.equal(await schemaVersion(db.database), 2);
  await db.database`select * from one, two, three`;
});

Deno.test("replicas that start at once apply each migration once", async () => {
  await using db = await emptyDatabase();
  const pools = [1, 2, 3, 4].map(() => openDatabase(db.url, { max: 1 }));
  const applied = await Promise.all(pools.map((pool) => migrate(pool, migrations, systemClock)));
  assert.deepEqual(applied.flat().sort(), ["0001_one", "0002_three"]);
  await Promise.all(pools.map((pool) => pool.end()));
});

Deno.test("a failed migration changes nothing", async () => {
  await using db = await emptyDatabase();
  const broken = { ...migrations[1]!, text: "create table three (id int); select no_such_function()" };
  await assert.rejects(migrate(db.database, [migrations[0]!, broken], systemClock), (error: Error) => {
    assert(error instanceof MigrationError);
    assert.match(
      error.message,
      /^Cannot apply migration 0002_three: function no_such_function\(\) does not exist$/,
    );
    return true;
  });
  assert.equal(await schemaVersion(db.database), 1);
  const [three] = await db.database`select to_regclass('three') as oid`;
  assert.equal(three!.oid, null);
});

Deno.test("a database newer than the code is refused", async () => {
  await using db = await emptyDatabase();
  await migrate(db.database, migrations, systemClock);
  await assert.rejects(
    migrate(db.database, migrations.slice(0, 1), systemClock),
    /^MigrationError: Cannot use the database: it holds migration 0002_three, which is newer than this version/,
  );
});

Deno.test("a migration changed after it was applied is refused", async () => {
  await using db = await emptyDatabase();
  await migrate(db.database, migrations, systemClock);
  const changed = [{ ...migrations[0]!, checksum: "c" }, migrations[1]!];
  await assert.rejects(
    migrate(db.database, changed, systemClock),
    /^MigrationError: Cannot use the database: migration 0001_one was applied with another text/,
  );
});

Deno.test("a gap in the numbers is refused", async () => {
  const directory = await Deno.makeTempDir();
  await Deno.writeTextFile(`${directory}/0001_one.sql`, "select 1");
  await Deno.writeTextFile(`${directory}/0003_three.sql`, "select 3");
  await assert.rejects(readMigrations(directory), /number 2 is missing or there twice/);
  await Deno.remove(directory, { recursive: true });
});
