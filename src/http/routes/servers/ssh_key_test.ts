import assert from "node:assert/strict";
import { testApi } from "../../../../tests/support/clients/api.ts";

Deno.test("the control plane has one SSH key, even with concurrent first requests", async () => {
  await using api = await testApi();
  const { call } = await api.user([]);
  const answers = await Promise.all(Array.from({ length: 5 }, () => call("GET", "/api/ssh-key")));
  const keys = new Set(answers.map(({ body }) => body.data.public_key));
  assert.equal(keys.size, 1);
  assert.match([...keys][0], /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/=]+ rearguard$/);
  const [row] = await api.database`select private_key_encrypted from ssh_key`;
  assert.ok(!row!.private_key_encrypted.includes("PRIVATE KEY"));
});
