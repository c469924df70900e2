import assert from "node:assert/strict";
import { newDestination } from "../../../../tests/support/fixtures/records.ts";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("a kept recovery kit is current until a destination is added or the secret key changes", async () => {
  await using api = await testApi();
  const status = async () => (await api.admin.call("GET", "/api/recovery-kit/status")).body.data;
  const keep = async () => (await api.admin.call("POST", "/api/recovery-kit/kept")).body.data;
  assert.deepEqual(await status(), { kept_at: null, is_current: false, missing: [] });
  const kept = await keep();
  assert.deepEqual(await status(), { ...kept, is_current: true, missing: [] });

  const user = await api.user();
  await newDestination(user, { label: "Bucket" });
  assert.deepEqual((await status()).missing, ["The copy does not name the destination “Bucket”."]);
  assert.equal((await keep()).is_current, true);
  await api.database`update recovery_kit_copies set key_ids = '{}'`;
  assert.deepEqual((await status()).missing, ["The secret key has changed since. Keep the new key too."]);
  assert.equal((await user.call("GET", "/api/recovery-kit/status")).status, 403);
});
