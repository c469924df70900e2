import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { loggedIn, newAccount } from "../../../../tests/support/fixtures/accounts.ts";
import { addWebPages } from "../../pages.ts";
import { type Installation, problemsOf } from "./problems.ts";

const open = () => testApi({ pages: [addWebPages({ publicUrl: null })] });

Deno.test("an administrator sees the control planes and what is wrong, and others do not", async () => {
  await using api = await open();
  const { clock, database } = api;
  const now = clock.now();
  const stopped = new Date(now.getTime() - 60_000);
  const replica = (id: string, name: string, heartbeat: Date) =>
    database`insert into replicas ${
      database({ id, name, version: "0.1.0", key_ids: [], started_at: stopped, heartbeat_at: heartbeat })
    }`;
  await replica("3b241101-e2bb-4255-8caf-4136c566a962", "<b>one</b>:8000", now);
  await replica("3b241101-e2bb-4255-8caf-4136c566a963", "two:8000", stopped);
  const admin = await loggedIn(api, await newAccount(api, true));
  const page = (await admin.call("GET", "/installation")).text;
  assert.match(page, /&lt;b&gt;one&lt;\/b&gt;:8000/);
  assert.match(page, /two:8000 sends no heartbeats\./);
  assert.match(page, /It does not run any more\./);
  assert.match(page, /Nobody has confirmed that a copy of the recovery kit is kept\./);
  assert.match(page, /href="\/installation\/recovery-kit"/);
  const other = await loggedIn(api, await newAccount(api));
  assert.equal((await other.call("GET", "/installation")).status, 403);
});

Deno.test("problems say what to do, and an installation without any says so", () => {
  const now = new Date("2026-01-31T12:00:00Z");
  const at = now.toISOString();
  const replica = { id: "a", name: "a:1", version: "0.2.0", is_alive: true, key_ids: ["k1", "k2"] };
  const installation = {
    problem: null,
    replicas: [replica],
    queue: { oldest_queued_at: at },
    migrations: { applied_count: 3, expected_count: 3 },
    keys: { current_id: "k1", ids: ["k1", "k2"], rotation: null },
  } as unknown as Installation;
  const kit = { kept_at: at, is_current: true, missing: [] };
  const problems = (fields: object) =>
    problemsOf({ ...installation, ...fields }, kit, now).map(({ what }) => what);
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ queue: { oldest_queued_at: "2026-01-31T10:59:00Z" } }), [
    "A run has waited for over an hour.",
  ]);
  const second = { ...replica, id: "b", name: "b:1", version: "0.1.0", key_ids: ["k1"] };
  assert.deepEqual(problems({ replicas: [replica, second] }), [
    "b:1 does not have all secret keys that this control plane has.",
    "The control planes have different versions: 0.2.0, 0.1.0.",
  ]);
  assert.deepEqual(problems({ migrations: { applied_count: 4, expected_count: 3 } }), [
    "The database has 1 migration of a newer version.",
  ]);
});
