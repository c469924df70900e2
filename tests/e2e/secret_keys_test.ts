/**
 * Tests secret keys that do not match the database. A control plane does not start with such keys. If such
 * keys are written to the key file of a running control plane, it keeps its old keys.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { keyId, writeSecretKeys } from "../../src/process/secret_keys.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase, type TestDatabase } from "../support/fixtures/database.ts";
import { rightsOf } from "../support/assertions/rights.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "a-token-for-the-tests";
const RIGHT = randomBytes(32);
const WRONG = randomBytes(32);
const base64 = (...keys: Uint8Array[]) => keys.map((key) => Buffer.from(key).toString("base64")).join();

interface Scene {
  db: TestDatabase;
  directory: string;
  /** Starts a control plane on the database, with a data directory of its own. */
  start(env: Record<string, string>): ServerProcess;
  /**
   * Starts a control plane that must refuse to start. Returns the reason, which must be its only line of
   * error output.
   */
  refusal(env: Record<string, string>): Promise<string>;
}

async function withDatabase(work: (scene: Scene) => Promise<void>): Promise<void> {
  await using db = await emptyDatabase();
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-keys-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  let count = 0;
  const start = (env: Record<string, string>) =>
    stack.use(
      new ServerProcess({
        dataDirectory: `${directory}/data-${count++}`,
        env: { LOCAL_AGENT: "0", BOOTSTRAP_TOKEN: TOKEN, DATABASE_URL: db.url, ...env },
      }),
    );
  const refusal = async (env: Record<string, string>) => {
    const server = start({ LOG_LEVEL: "fatal", ...env });
    const { code } = await server.ended();
    assert.equal(code, 1, server.stdout + server.stderr);
    assert.equal(server.stderr.trimEnd().split("\n").length, 1, server.stderr);
    assert.ok(!server.stderr.includes(env.SECRET_KEY!), server.stderr);
    return server.stderr;
  };
  await work({ db, directory, start, refusal });
}

const seal = (api: ApiCaller, value: string) =>
  api.create("/notification-streams", { label: value, type: "email", value: `${value}@example.test` });

Deno.test("a key that opens nothing of what is stored is refused at the start, and both keys are named", () =>
  withDatabase(async ({ start, refusal }) => {
    const first = start({ SECRET_KEY: base64(RIGHT) });
    await seal(new ApiCaller(await first.ready(), TOKEN), "jo");
    await first.stop();
    const line = await refusal({ SECRET_KEY: base64(WRONG) });
    assert.match(
      line,
      new RegExp(
        `^Cannot start: this database holds secrets that are sealed with key ${
          keyId(RIGHT)
        } \\(1 secret\\), and ` +
          `the environment variable SECRET_KEY holds key ${keyId(WRONG)}\\. Put the missing key there`,
      ),
    );
    // The right key is now the second key of two. It decrypts the stored values. The first key encrypts new
    // values.
    const again = start({ SECRET_KEY: base64(WRONG, RIGHT) });
    await seal(new ApiCaller(await again.ready(), TOKEN), "max");
    await again.stop();
    // Now each key alone decrypts only one half of the values.
    for (const [held, missing] of [[RIGHT, WRONG], [WRONG, RIGHT]] as const) {
      assert.match(
        await refusal({ SECRET_KEY: base64(held) }),
        new RegExp(`sealed with key ${keyId(missing)} \\(1 secret\\)`),
      );
    }
    assert.match(await refusal({ SECRET_KEY: base64(randomBytes(32)) }), /sealed with keys \w+ .*, \w+ /);
  }));

Deno.test("who has lost a key for good starts by naming it, and its secrets alone stay closed", () =>
  withDatabase(async ({ start, refusal }) => {
    const first = start({ SECRET_KEY: base64(WRONG) });
    await seal(new ApiCaller(await first.ready(), TOKEN), "jo");
    await first.stop();
    assert.match(
      await refusal({ SECRET_KEY: base64(RIGHT) }),
      new RegExp(`LOST_SECRET_KEYS=${keyId(WRONG)} starts without what it seals`),
    );
    const second = start({ SECRET_KEY: base64(RIGHT), LOST_SECRET_KEYS: keyId(WRONG) });
    const url = await second.ready();
    await seal(new ApiCaller(url, TOKEN), "max");
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
  }));

Deno.test("a second control plane with another key is refused, even where nothing is sealed yet", () =>
  withDatabase(async ({ start, refusal }) => {
    await start({ SECRET_KEY: base64(RIGHT) }).ready();
    const line = await refusal({ SECRET_KEY: base64(WRONG) });
    assert.match(
      line,
      new RegExp(`seals with key ${keyId(RIGHT)} .*this one seals with key ${keyId(WRONG)}`),
    );
    // With both keys, the second control plane could decrypt every value. But it would encrypt new values
    // with a key that the first control plane lacks.
    assert.match(
      await refusal({ SECRET_KEY: base64(WRONG, RIGHT) }),
      /Give all control planes of a database/,
    );
    await start({ SECRET_KEY: base64(RIGHT, WRONG) }).ready();
  }));

Deno.test("a key file that is swapped while it runs changes nothing but the log, until it fits", () =>
  withDatabase(async ({ directory, start }) => {
    const path = `${directory}/secret.key`;
    await writeSecretKeys(path, [RIGHT]);
    const server = start({ SECRET_KEY_FILE: path });
    const url = await server.ready();
    const api = new ApiCaller(url, TOKEN);
    const id = await seal(api, "jo");
    await writeSecretKeys(path, [WRONG]);
    await server.until(() => server.stderr.includes("Cannot take the secret keys anew"));
    assert.match(server.stderr, new RegExp(`sealed with key ${keyId(RIGHT)} `));
    // The control plane still uses its old key `RIGHT`, not the key in the file. So it encrypts new values
    // with `RIGHT`.
    await seal(api, "max");
    assert.equal((await api.call("PUT", `/notification-streams/${id}`, { label: "seen" })).status, 200);
    await writeSecretKeys(path, [RIGHT, WRONG]);
    await server.until(() =>
      server.stderr.includes(`The secret keys are now '${keyId(RIGHT)}, ${keyId(WRONG)}'`)
    );
  }));

Deno.test("a rotation with the wrong key file changes neither the file nor the database", () =>
  withDatabase(async ({ db, directory, start }) => {
    const first = start({ SECRET_KEY: base64(RIGHT) });
    await seal(new ApiCaller(await first.ready(), TOKEN), "jo");
    await first.stop();
    const path = `${directory}/other.key`;
    await writeSecretKeys(path, [WRONG]);
    const before = await Deno.readTextFile(path);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...rightsOf("admin"),
        fileURLToPath(new URL("../../src/admin/main.ts", import.meta.url)),
        "key",
        "rotate",
      ],
      env: { DATABASE_URL: db.url, SECRET_KEY_FILE: path, DATA_DIR: directory },
    }).output();
    assert.equal(code, 1);
    assert.match(new TextDecoder().decode(stderr), new RegExp(`^Cannot rotate the key: .* ${keyId(RIGHT)} `));
    assert.equal(await Deno.readTextFile(path), before);
    assert.deepEqual([...await db.database`select * from key_rotations`], []);
  }));

Deno.test("a database that was restored with another key's secrets makes a control plane at work not ready", () =>
  withDatabase(async ({ db, start }) => {
    const server = start({ SECRET_KEY: base64(RIGHT) });
    const url = await server.ready();
    const id = await seal(new ApiCaller(url, TOKEN), "jo");
    await db.database`
      update notification_streams set value_encrypted = replace(value_encrypted, ${
      keyId(RIGHT)
    }, '0badc0de')`;
    await db.database`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'rearguard' and pid <> pg_backend_pid() and datname = current_database()`;
    await until(async () => (await fetch(`${url}/readyz`)).status === 503);
    await server.until(() => server.stderr.includes("Secrets can't be opened"));
    assert.match(
      (await (await fetch(`${url}/readyz`)).json()).message,
      /sealed with key 0badc0de \(1 secret\)/,
    );
    await db.database`delete from notification_streams where id = ${id}`;
    await until(async () => (await fetch(`${url}/readyz`)).status === 200);
  }));
