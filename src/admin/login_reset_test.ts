import assert from "node:assert/strict";
import { Browser } from "../../tests/support/clients/browser.ts";
import { testApi } from "../../tests/support/clients/api.ts";
import { newAccount } from "../../tests/support/fixtures/accounts.ts";
import { makeSetupLink } from "./login_reset.ts";

Deno.test("a user who can't log in gets a set-up link from the database", async () => {
  await using api = await testApi();
  const { database, clock } = api;
  const account = await newAccount(api);
  const make = (email: string | null) => makeSetupLink({ database, clock, operator: "root", email });
  const own = (await api.admin.call("GET", "/api/user")).body.data.personal_info.email;
  assert.equal((await make(null)).email, own, "the first administrator");
  const { link, email } = await make(account.email.toUpperCase());
  assert.equal(email, account.email);
  const body = { setup_token: link.plain, password: "seven quiet lanterns" };
  assert.equal((await new Browser(api.app).call("POST", "/api/login/setup", body)).status, 200);
  await assert.rejects(make("nobody@example.test"), /no user has the email nobody@example\.test/);
  const [entry] = (await api.admin.call("GET", "/api/audit-log?action=makeSetupLink")).body.data;
  assert.deepEqual([entry.actor.type, entry.actor.name, entry.resource], ["command", "root", "users"]);
});
