/**
 * Rotates the secret key while two control planes and an agent with runs are active. One rotation is killed
 * before it ends.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { keyId, Keyring, readSecretKeys } from "../../src/process/secret_keys.ts";
import { openDatabase } from "../../src/store/database/database.ts";
import { countSealed } from "../../src/store/database/sealed_columns.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { rightsOf } from "../support/assertions/rights.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const ADMIN = fileURLToPath(new URL("../../src/admin/main.ts", import.meta.url));
const TOKEN = "a-token-for-the-tests";
/** The number of notification streams: a rotation can be killed while it encrypts all of these. */
const STREAMS = 5000;

const rotate = (env: Record<string, string>) => keyCommand("rotate", env);

function keyCommand(command: string, env: Record<string, string>): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...rightsOf("admin"), ADMIN, "key", command],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("the key is rotated while runs go on, killed midway and gone on with", async () => {
  await using db = await emptyDatabase();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-keys-" });
  await Deno.chmod(directory, 0o755);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const path = `${directory}/secret.key`;
  const env = { DATABASE_URL: db.url, SECRET_KEY_FILE: path, BOOTSTRAP_TOKEN: TOKEN, LOG_LEVEL: "info" };
  const first = stack.use(
    new ServerProcess({ dataDirectory: `${directory}/a`, env, args: ["--local-agent"] }),
  );
  const url = await first.ready();
  const second = stack.use(
    new ServerProcess({ dataDirectory: `${directory}/b`, env: { ...env, LOCAL_AGENT: "0" } }),
  );
  const apis = [url, await second.ready()].map((each) => new ApiCaller(each, TOKEN));
  const [api] = apis as [ApiCaller];
  const [old] = (await readSecretKeys(path))!;

  await Deno.mkdir(`${directory}/source`);
  await Deno.writeTextFile(`${directory}/source/file`, "text");
  const destination = await api.create("/backup-destinations", {
    label: "here",
    type: "local",
    local_path: `${directory}/backups`,
  });
  await Deno.mkdir(`${directory}/backups`);
  const task = await api.create("/backup-tasks", {
    remote_server_id: 1,
    backup_destination_id: destination,
    label: "Sealed",
    type: "files",
    source_path: `${directory}/source`,
    frequency: "daily",
    time_to_run_at: "01:00",
    encryption_password: "the password of the task",
  });
  const database = openDatabase(db.url);
  stack.defer(() => database.end());
  const keyring = new Keyring([old!]);
  const values = Array.from({ length: STREAMS }, (_, each) => `jo${each}@example.test`);
  await database`
    insert into notification_streams (user_id, label, type, value_encrypted, created_at, updated_at)
    select 1, 's', 'email', value, now(), now() from unnest(${
    values.map((value) => keyring.encrypt(value))
  }::text[]) as value`;

  // While the key is rotated, runs of the task follow each other. Each run decrypts the task's password.
  let isOver = false;
  const runs: string[] = [];
  const running = (async () => {
    while (!isOver) {
      const { status, output } = await api.run(task);
      runs.push(status === "successful" ? status : output);
    }
  })();

  const finishRunning = async () => {
    isOver = true;
    await running;
  };
  stack.defer(finishRunning);

  const killed = rotate(env);
  const streamsOf = async (isOld: boolean) => {
    const [row] = await database`
      select count(*) from notification_streams where (split_part(value_encrypted, ':', 2) = ${
      keyId(old!)
    }) = ${isOld}`;
    return row!.count as number;
  };
  await until(async () => await streamsOf(false) > 0);
  killed.kill("SIGKILL");
  await killed.output();
  assert.ok(await streamsOf(true) > 0, "The rotation was over before it was killed");
  const ids = (await readSecretKeys(path))!.map(keyId);
  assert.equal(ids[1], keyId(old!));
  // Some values are encrypted with the old key, the others with the new key. Both control planes can decrypt
  // all of them. The test updates streams, because a control plane has to decrypt a stream's stored value for
  // an update.
  for (const id of ids) {
    const [row] = await database<{ id: number }[]>`
      select id from notification_streams where split_part(value_encrypted, ':', 2) = ${id} limit 1`;
    for (const each of apis) {
      const { status } = await each.call("PUT", `/notification-streams/${row!.id}`, { label: "seen" });
      assert.equal(status, 200);
    }
  }

  const { code, stdout, stderr } = await rotate(env).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  assert.match(text, new RegExp(`Continuing the rotation to key ${ids[0]}`));
  const seen = runs.length;
  await until(() => runs.length > seen + 1);
  await finishRunning();
  assert.deepEqual(runs.filter((status) => status !== "successful"), []);

  const [now, ...others] = (await readSecretKeys(path))!;
  assert.deepEqual([keyId(now!), others], [ids[0], []]);
  assert.deepEqual([...(await countSealed(database)).keys()], [keyId(now!)]);
  const rows = await database`select value_encrypted as value from notification_streams order by id`;
  const opened = new Keyring([now!]);
  assert.deepEqual(rows.map(({ value }) => opened.decrypt(value)), values);
  const replicas = await database`select key_ids from replicas`;
  assert.deepEqual(replicas.map(({ key_ids }) => key_ids), [[keyId(now!)], [keyId(now!)]]);
  for (const each of [first, second]) {
    assert.match(each.stderr, /The secret keys are now/);
    assert.doesNotMatch(each.stderr, /Cannot read a stored secret/);
  }
  const log = await api.call("GET", "/audit-log?action=rotateKey");
  assert.deepEqual(
    log.body.data.map((
      { actor, result }: { actor: { type: string }; result: string },
    ) => [actor.type, result]),
    [["command", "done"]],
  );
});

Deno.test("the key of a control plane with the embedded Postgres is rotated, at work and stopped", async () => {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-keys-" });
  await Deno.chmod(directory, 0o755);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const dataDirectory = `${directory}/data`;
  const path = `${dataDirectory}/secret.key`;
  const env = { DATA_DIR: dataDirectory, BOOTSTRAP_TOKEN: TOKEN, LOCAL_AGENT: "0" };
  const admin = async (command: string) => {
    const { code, stdout, stderr } = await keyCommand(command, env).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.equal(code, 0, text);
    return text;
  };
  {
    await using server = new ServerProcess({ dataDirectory, env });
    const api = new ApiCaller(await server.ready(), TOKEN);
    await api.call("GET", "/ssh-key"); // the first request creates and encrypts the key
    const before = (await readSecretKeys(path))!.map(keyId);
    await admin("rotate");
    const after = (await readSecretKeys(path))!.map(keyId);
    assert.notDeepEqual(after, before);
    const told = await admin("status");
    assert.match(told, new RegExp(`^${after[0]} .* seals and opens: 1 values$`, "m"));
    assert.match(told, new RegExp(`^The control plane that started \\S+ holds ${after[0]}\\.$`, "m"));
    assert.equal((await api.call("GET", "/user")).status, 200);
    assert.equal((await server.stop()).code, 0);
  }
  await admin("rotate");
  assert.equal((await readSecretKeys(`${path}.retired`))!.length, 2);
  await using server = new ServerProcess({ dataDirectory, env });
  assert.equal((await new ApiCaller(await server.ready(), TOKEN).call("GET", "/ssh-key")).status, 200);
});
