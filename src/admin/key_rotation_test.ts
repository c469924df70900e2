import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { type Config, readConfig } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { keyId, Keyring, readSecretKeys, writeSecretKeys } from "../process/secret_keys.ts";
import type { Database } from "../store/database/sql.ts";
import { openKeyRotation } from "../store/installation/key_rotations.ts";
import { insertReplica } from "../store/installation/replicas.ts";
import { countSealed } from "../store/database/sealed_columns.ts";
import { insertUser } from "../store/access/users.ts";
import { testDatabase } from "../../tests/support/fixtures/database.ts";
import { rotateKey } from "./key_rotation.ts";
import { keyStatus } from "./key_status.ts";

interface Scene {
  database: Database;
  config: Config;
  /** The path of the key file; `key` is the first key in it. */
  path: string;
  key: Uint8Array;
  output: string[];
  rotate(also?: { patience?: number; print?: (line: string) => void }): Promise<void>;
  /** Stores a notification stream whose value is encrypted with `key`. Returns the stream's id. */
  seal(key: Uint8Array, value: string): Promise<number>;
  /** Decrypts the values of all streams with the keys in the key file. Does not try retired keys. */
  values(): Promise<string[]>;
}

const REPLICA = { name: null, version: "0.1.0" };

async function scene(work: (scene: Scene) => Promise<void>, environment: Record<string, string> = {}) {
  await using db = await testDatabase();
  const { database } = db;
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/secret.key`;
    const key = randomBytes(32);
    await Deno.writeTextFile(path, `${key.toString("base64")}\n`, { mode: 0o600 });
    const variables = "SECRET_KEY" in environment ? environment : { SECRET_KEY_FILE: path };
    const config = readConfig({ DATA_DIR: directory, ...variables }, { localAgent: false, isRoot: false });
    const user = { name: "Ada", email: "ada@example.test", is_admin: true };
    const { id: user_id } = await insertUser(database, user, systemClock.now());
    const output: string[] = [];
    await work({
      database,
      config,
      path,
      key,
      output,
      rotate: ({ patience = 5000, print = (line: string) => void output.push(line) } = {}) =>
        rotateKey({ config, clock: systemClock, database, operator: "root", patience, print }),
      async seal(key, value) {
        const now = systemClock.now();
        const row = {
          user_id,
          label: "s",
          type: "email",
          value_encrypted: new Keyring([key]).encrypt(value),
          created_at: now,
          updated_at: now,
        };
        const [made] = await database`insert into notification_streams ${database(row)} returning id`;
        return made!.id;
      },
      async values() {
        const keyring = new Keyring((await readSecretKeys(path))!);
        const rows = await database`select value_encrypted as value from notification_streams order by id`;
        return rows.map(({ value }) => keyring.decrypt(value));
      },
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("after a rotation the new key seals everything, the old one is retired, the log reports it and no line contains a key", () =>
  scene(async ({ database, config, path, key, output, rotate, seal, values }) => {
    for (let each = 0; each < 250; each++) await seal(key, `value ${each}`);
    await rotate();
    const [now, ...others] = (await readSecretKeys(path))!;
    assert.deepEqual(others, []);
    assert.notEqual(keyId(now!), keyId(key));
    assert.deepEqual(await values(), Array.from({ length: 250 }, (_, each) => `value ${each}`));
    assert.deepEqual([...await countSealed(database)], [[keyId(now!), 250]]);
    assert.deepEqual((await readSecretKeys(`${path}.retired`))!.map(keyId), [keyId(key)]);
    for (const file of [path, `${path}.retired`]) assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const [entry] = await database`select actor, actor_name, action, reason from audit_log`;
    assert.deepEqual({ ...entry }, {
      actor: "command",
      actor_name: "root",
      action: "rotateKey",
      reason: `To key ${keyId(now!)}.`,
    });
    const status = (await keyStatus(config, database, systemClock)).join("\n");
    assert.match(status, new RegExp(`^${keyId(now!)}  in ${path}, seals and opens: 250 values$`, "m"));
    assert.match(status, new RegExp(`^${keyId(key)}  in ${path}.retired: 0 values$`, "m"));
    assert.match(status, /^The last rotation, to key \w+, was finished/m);
    const lines = `${output.join("\n")}\n${status}`;
    for (const each of [key, now!]) {
      for (const form of ["hex", "base64", "base64url"] as const) {
        assert.ok(!lines.includes(Buffer.from(each).toString(form)));
      }
    }
    await rotate();
    assert.equal((await values()).length, 250);
    assert.equal((await readSecretKeys(`${path}.retired`))!.length, 2);
  }));

Deno.test("a value that is sealed with the old key at the last moment is sealed anew too", () =>
  scene(async ({ database, path, key, rotate, seal, values }) => {
    await seal(key, "first");
    let strays = 0;
    await rotate({
      print: (line) => {
        if (/^Sealed/.test(line) && strays++ === 0) straying = seal(key, "stray");
      },
    });
    await straying;
    assert.deepEqual(await values(), ["first", "stray"]);
    assert.equal((await readSecretKeys(path))!.length, 1);
    assert.equal((await countSealed(database)).size, 1);
  }));
let straying: Promise<unknown> = Promise.resolve();

Deno.test("a value that is changed during the rotation keeps the change", () =>
  scene(async ({ database, key, rotate, seal, values }) => {
    const id = await seal(key, "before");
    const changed = new Keyring([key]).encrypt("after");
    // Keeps the row locked until the rotation waits for the lock.
    let release = () => {};
    const held = new Promise<void>((resolve) => release = resolve);
    const change = database.begin(async (sql) => {
      await sql`update notification_streams set value_encrypted = ${changed} where id = ${id}`;
      await held;
    });
    const rotated = rotate();
    for (;;) {
      const [waiting] = await database`select 1 from pg_locks where not granted limit 1`;
      if (waiting !== undefined) break;
    }
    release();
    await change;
    await rotated;
    assert.deepEqual(await values(), ["after"]);
  }));

Deno.test("it waits for control planes that lack the key, and goes on when they have it", () =>
  scene(async ({ database, config, path, key, output, rotate, seal, values }) => {
    await seal(key, "value");
    const replica = randomUUID();
    await insertReplica(database, { ...REPLICA, id: replica, keyIds: [keyId(key)] }, systemClock.now());
    const holds = (ids: string[]) =>
      database`update replicas set key_ids = ${ids}, heartbeat_at = ${systemClock.now()} where id = ${replica}`;
    await assert.rejects(
      rotate({ patience: 0 }),
      /^KeyRotationError: Cannot continue the rotation: not every control plane has loaded the new key: 1 control plane \(one started .+ with key \w{8}\)\. /,
    );
    // No value is encrypted with the new key yet, but the key is already in the file. The next call of
    // `rotate` finds the key there, and continues with it.
    const keys = (await readSecretKeys(path))!;
    assert.deepEqual(keys.map(keyId)[0], keyId(key));
    assert.equal(keys.length, 2);
    await assert.rejects(rotate({ patience: 0 }));
    const ids = (await readSecretKeys(path))!.map(keyId);
    assert.equal(ids.length, 2);
    assert.match(
      (await keyStatus(config, database, systemClock)).join("\n"),
      /^An unfinished rotation to key \w+ began/m,
    );

    await holds(ids);
    await assert.rejects(rotate({ patience: 0 }), /has begun to encrypt with the new key: /);
    assert.deepEqual([...await countSealed(database)], [[keyId(key), 1]]);
    await holds([ids[1]!, ids[0]!]);
    await assert.rejects(rotate({ patience: 0 }), /has dropped the old key: /);
    await holds([ids[1]!]);
    await rotate({ patience: 0 });
    assert.ok(output.includes(`Continuing the rotation to key ${ids[1]}`));
    assert.deepEqual(await values(), ["value"]);
    assert.equal(await openKeyRotation(database), undefined);
  }));

Deno.test("only one rotation runs at a time, and a missing key is named", () =>
  scene(async ({ database, path, key, rotate, seal }) => {
    const lost = randomBytes(32);
    await seal(lost, "lost");
    await seal(key, "value");
    await assert.rejects(rotate(), new RegExp(`sealed with key ${keyId(lost)} \\(1 secret\\)`));
    assert.equal((await countSealed(database)).get(keyId(lost)), 1);
    const keys = (await readSecretKeys(path))!;
    await writeSecretKeys(path, [...keys, lost]);
    const [first, second] = await Promise.allSettled([rotate(), rotate()]);
    const refused = [first, second].filter(({ status }) => status === "rejected");
    assert.equal(refused.length, 1);
    assert.match(String((refused[0] as PromiseRejectedResult).reason), /another rotation is running/);
    assert.equal((await countSealed(database)).size, 1);
  }));

const OLD = randomBytes(32);
const NEW = randomBytes(32);

Deno.test("keys in the environment: the operator changes them, and the command seals anew once all control planes are ready", () =>
  scene(async ({ database, output, rotate, seal }) => {
    await seal(OLD, "value");
    const replica = randomUUID();
    await insertReplica(
      database,
      { ...REPLICA, id: replica, keyIds: [keyId(OLD), keyId(NEW)] },
      systemClock.now(),
    );
    await assert.rejects(rotate(), /not every control plane encrypts with key \w+: .*Set this SECRET_KEY/);
    await database`update replicas set key_ids = ${[keyId(NEW), keyId(OLD)]}`;
    await rotate();
    assert.deepEqual([...await countSealed(database)], [[keyId(NEW), 1]]);
    assert.match(output.at(-1)!, /Remove the others from SECRET_KEY/);
  }, { SECRET_KEY: `${NEW.toString("base64")},${OLD.toString("base64")}` }));

Deno.test("a single key in the environment cannot be rotated, and the error explains what to do", () =>
  scene(async ({ rotate, seal }) => {
    await seal(NEW, "value");
    await assert.rejects(rotate(), /SECRET_KEY contains only one key\. Append a new one/);
  }, { SECRET_KEY: NEW.toString("base64") }));
