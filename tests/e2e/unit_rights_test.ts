/** Runs the control plane with the permissions of its systemd unit, but with other paths. */
import assert from "node:assert/strict";
import { packagedPrograms } from "../../src/store/embedded/embedded_programs.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { containerRights, unitRights } from "../support/assertions/rights.ts";
import { ServerProcess } from "../support/servers/server.ts";

/**
 * Creates a data directory with the mode that systemd gives it. The directory is not below /tmp, because the
 * unit is allowed to write below /tmp anyway.
 */
async function withDataDirectory(work: (dataDirectory: string) => Promise<void>): Promise<void> {
  const parent = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "rearguard-unit-" });
  await Deno.chmod(parent, 0o755);
  try {
    await Deno.mkdir(`${parent}/data`, { mode: 0o711 });
    await work(`${parent}/data`);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
}

Deno.test("the unit grants no more than it says, and knows the embedded Postgres's version", async () => {
  const rights = unitRights("/var/lib/rearguard");
  assert.deepEqual(rights.map((right) => right.split("=")[0]), [
    "--no-prompt",
    "--node-modules-dir",
    "--allow-net",
    "--allow-env",
    "--allow-sys",
    "--allow-read",
    "--allow-write",
    "--allow-run",
  ]);
  for (const right of rights.slice(4)) assert.match(right, /=\S/, `${right} is not narrowed`);
  const { version } = await packagedPrograms();
  const [, ...bins] = rights.at(-1)!.split("/postgres/programs/");
  assert.deepEqual(bins.map((path) => path.split(/[/,]/).slice(0, 3).join("/")), [
    `${version}/bin/initdb`,
    `${version}/bin/pg_ctl`,
  ]);
});

Deno.test("under the container's rights it serves, and builds what servers install", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const rights = containerRights(dataDirectory);
    for (const right of ["read", "write", "run"]) {
      assert.ok(rights.some((each) => each.startsWith(`--allow-${right}=/`)), `${right} is not narrowed`);
    }
    const env = { LOCAL_AGENT: "0", DATABASE_URL: db.url, SECRET_KEY: "ab".repeat(32) };
    await using server = new ServerProcess({ dataDirectory, env, rights });
    const url = await server.ready();
    assert.match(await (await fetch(`${url}/agent/SHA256SUMS`)).text(), / {2}agent\.js$/m);
    assert.doesNotMatch(server.stderr, /NotCapable|Requires \S+ access/);
    assert.equal((await server.stop()).code, 0);
  }));

Deno.test("under the unit's rights it serves, seals, and builds what servers install", () =>
  withDataDirectory(async (dataDirectory) => {
    await using db = await emptyDatabase();
    const env = { LOCAL_AGENT: "0", DATABASE_URL: db.url };
    await using server = new ServerProcess({ dataDirectory, env, rights: unitRights(dataDirectory) });
    const url = await server.ready();
    const call = (path: string, init: RequestInit = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: `Bearer ${server.token}` } });
    const sums = await (await call("/agent/SHA256SUMS")).text();
    assert.match(sums, /^[0-9a-f]{64} {2}agent\.js$/m);
    for (const path of ["/install.sh", "/agent/deno", "/docs/swagger-ui.css", "/metrics", "/api/ssh-key"]) {
      const response = await call(path);
      assert.equal(response.status, 200, path);
      await response.body?.cancel();
    }
    assert.doesNotMatch(server.stderr, /NotCapable|Requires \S+ access/);
    assert.equal((await server.stop()).code, 0);
  }));

Deno.test("under the unit's rights it runs the embedded Postgres", () =>
  withDataDirectory(async (dataDirectory) => {
    // The unit does not run as root. If this test runs as root, the embedded Postgres needs another user. So
    // the test also permits the programs that create a user.
    const rights = unitRights(dataDirectory).map((right) =>
      Deno.uid() === 0 && right.startsWith("--allow-run=") ? `${right},/bin/sh,useradd` : right
    );
    for (let start = 0; start < 2; start++) {
      await using server = new ServerProcess({ dataDirectory, env: { LOCAL_AGENT: "0" }, rights });
      await server.ready();
      assert.doesNotMatch(server.stderr, /NotCapable|Requires \S+ access/);
      assert.equal((await server.stop()).code, 0);
    }
  }));
