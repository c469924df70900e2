import assert from "node:assert/strict";
import { testApi } from "../../tests/support/clients/api.ts";
import { makeAdministratorToken } from "./administrator_token.ts";

Deno.test("an administrator without a token gets a new one from the database", async () => {
  await using api = await testApi();
  const { database, clock } = api;
  await database`update tokens set revoked_at = now()`;
  const make = (email: string | null) => makeAdministratorToken({ database, clock, operator: "root", email });
  const { token, email } = await make(null);
  const call = (path: string) => api.app.request(path, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await (await call("/api/user")).json()).data.personal_info.email, email);
  assert.equal((await call("/api/users")).status, 200);
  assert.equal((await make(email.toUpperCase())).email, email);
  await assert.rejects(
    make("nobody@example.test"),
    (error: Error) => error.message.includes(`Name one of: ${email}`),
  );
  const [entry] = (await (await call("/api/audit-log?action=makeAdministratorToken")).json()).data;
  assert.deepEqual([entry.actor.type, entry.actor.name], ["command", "root"]);
});
