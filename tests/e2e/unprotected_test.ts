/**
 * Tests the list of the items on a server that no task backs up, through the API, a control plane and an
 * agent.
 */
import assert from "node:assert/strict";
import { CliHome } from "../support/clients/cli.ts";
import { stageTree } from "../support/fixtures/backed_up_tree.ts";
import { renewInventories } from "../../src/services/servers/inventories.ts";
import { recordInventory } from "../../src/store/agents/server_inventories.ts";

Deno.test("what no task covers is listed, counted, dismissed and gone once a task covers it", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane } = await stageTree(stack);
  const { api, serverId, services } = plane;
  const path = `/remote-servers/${serverId}` as const;
  await renewInventories(services);
  const inventory = (await api.call("GET", `${path}/unprotected`)).body;
  assert.match(inventory.inventoried_at, /Z$/);
  const etc = inventory.data.find(({ id }: { id: string }) => id === "directory:/etc");
  assert.deepEqual(etc, {
    id: "directory:/etc",
    kind: "directory",
    name: "/etc",
    path: "/etc",
    database_type: null,
    size: null,
    is_partly_protected: false,
    is_dismissed: false,
    prefill: { type: "files", source_path: "/etc" },
  });
  const items = [
    { kind: "database", engine: "postgresql", name: "shop, old", path: null, mount: null, size: 5 },
    { kind: "database", engine: "mysql", name: "wiki", path: null, mount: null, size: 6 },
    { kind: "docker_volume", engine: null, name: "v", path: "/vols/v/_data", mount: "/", size: null },
    { kind: "file_system", engine: null, name: "/data", path: "/data", mount: "/data", size: 7 },
  ] as const;
  await recordInventory(services.database, serverId, { items, notes: ["A note"] }, services.clock.now());
  const list = async () => (await api.call("GET", `${path}/unprotected`)).body;
  const found = await list();
  assert.deepEqual(found.data.map(({ prefill }: { prefill: unknown }) => prefill), [
    { type: "database", database_type: "postgresql", database_name: '"shop, old"' },
    { type: "database", database_type: "mysql", database_name: "wiki" },
    { type: "files", source_path: "/vols/v/_data" },
    { type: "files", source_path: "/data" },
  ]);
  assert.deepEqual([found.unprotected_count, found.notes], [4, ["A note"]]);
  const shown = async () => {
    const [one, all] = await Promise.all([api.call("GET", path), api.call("GET", "/remote-servers")]);
    assert.equal(all.body.data[0].unprotected_count, one.body.data.unprotected_count);
    return one.body.data.unprotected_count;
  };
  assert.equal(await shown(), 4);
  const backup_destination_id = await api.create("/backup-destinations", {
    label: "d",
    type: "local",
    local_path: "/nowhere",
  });
  const cover = (fields: object) =>
    api.create("/backup-tasks", {
      label: "t",
      remote_server_id: serverId,
      backup_destination_id,
      frequency: "daily",
      time_to_run_at: "01:00",
      ...fields,
    });
  await cover(found.data[0].prefill);
  await cover({ type: "files", source_path: "/", excluded_paths: ["/vols/w"] });
  await cover({ type: "files", source_path: "/data/some" });
  const left = await list();
  assert.deepEqual(
    left.data.map(({ id, is_partly_protected }: Record<string, unknown>) => [id, is_partly_protected]),
    [["database:mysql:wiki", false], ["file_system:/data", true]],
  );
  const ids = { ids: ["database:mysql:wiki", "unknown"] };
  const dismissed = (await api.call("POST", `${path}/unprotected/dismiss`, ids)).body;
  assert.deepEqual([dismissed.data[0].is_dismissed, dismissed.unprotected_count], [true, 1]);
  assert.equal(await shown(), 1);
  const undone = (await api.call("POST", `${path}/unprotected/undismiss`, ids)).body;
  assert.deepEqual([undone.data[0].is_dismissed, undone.unprotected_count], [false, 2]);

  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const run = (...args: string[]) => home.run(["servers", ...args], { env });
  assert.match((await run("unprotected", `${serverId}`)).stdout, /^database:mysql:wiki +6 B +no +no$/m);
  assert.equal(
    (await run("dismiss", `${serverId}`, "database:mysql:wiki")).stdout,
    "1 items are not protected\n",
  );
  await run("dismiss", `${serverId}`, "file_system:/data", "--undo");
  // The task of the root directory covers everything that this machine has.
  assert.equal((await run("unprotected", `${serverId}`, "--now")).stdout, "None.\n");
});

Deno.test("an inventory is taken once, and again a day later; without an agent, the last one stays", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane: { api, serverId, services } } = await stageTree(stack);
  const offline = await api.create("/remote-servers", { label: "away", ip_address: "192.0.2.7" });
  const refused = await api.call("POST", `/remote-servers/${offline}/inventory`);
  assert.equal(refused.status, 409);
  const none = (await api.call("GET", `/remote-servers/${offline}/unprotected`)).body;
  assert.deepEqual(none, { data: [], unprotected_count: 0, inventoried_at: null, notes: [] });
  assert.equal((await api.call("GET", `/remote-servers/${offline}`)).body.data.unprotected_count, null);
  const { database } = services;
  const asked = async () => {
    await Promise.all([renewInventories(services), renewInventories(services)]);
    const rows = await database<{ remote_server_id: number; inventoried_at: Date }[]>`
      select remote_server_id, inventoried_at from server_inventories`;
    assert.deepEqual(rows.map(({ remote_server_id }) => remote_server_id), [serverId]);
    return rows[0]!.inventoried_at.getTime();
  };
  const first = await asked();
  assert.equal(await asked(), first);
  await database`update server_inventories set requested_at = requested_at - interval '25 hours',
    inventoried_at = inventoried_at - interval '25 hours'`;
  assert.ok(await asked() >= first);
});
