import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("servers are listed, shown and enrolled", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const run = (...args: string[]) => home.run(["servers", ...args], { env });
  const id = await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  assert.match((await run("list")).stdout, /\n 1 {2}web +192\.0\.2\.1 +unknown\n$/);
  assert.match((await run("show", `${id}`)).stdout, /^Connection ip address +192\.0\.2\.1$/m);
  assert.equal(JSON.parse((await run("show", `${id}`, "--json")).stdout).data.label, "web");
  const enrolled = await run("enrol", `${id}`);
  assert.deepEqual([enrolled.code, enrolled.stderr], [0, ""]);
  assert.match(
    enrolled.stdout,
    /^Run this on the server, once, before \S+Z:\n\ncurl -fsSL '\S+\/install\.sh' \| REARGUARD_TOKEN='rge_\S+'/,
  );
  const { code, stderr } = await run("enrol", `${id}`, "--expires-in", "5");
  assert.equal(code, 7);
  assert.equal(stderr, "Cannot enrol server 1: expires_in: The expires in field must be at least 60\n");
  assert.equal((await run("enrol", "99")).code, 5);
});

Deno.test("connections of a server are listed, and summarized for each server", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const run = (...args: string[]) => home.run(["servers", "connectivity", ...args], { env });
  await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" });
  assert.match((await run()).stdout, /^ *1 +web +unknown$/m);
  const { clock, database } = api.services;
  const hours = (count: number) => new Date(clock.now().getTime() - count * 3_600_000);
  await database`update schema_migrations set applied_at = ${hours(4)}`;
  await database`insert into server_connections (remote_server_id, connected_at, disconnected_at)
    values (1, ${hours(4)}, ${hours(3)}), (1, ${hours(2)}, null)`;
  assert.match((await run()).stdout, /^ *1 +web +75\.\d\d % +\d{4}-\d\d-\d\d: \d/m);
  const { stdout } = await run("1");
  assert.match(
    stdout,
    /^Connected +Disconnected\n\S+Z +\S+Z\n\S+Z +still connected\nConnected for 75\.\d\d % /,
  );
});
