import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { testApi } from "../../../../tests/support/clients/api.ts";
import { newDestination } from "../../../../tests/support/fixtures/records.ts";
import { Keyring } from "../../../secrets/keyring.ts";

Deno.test("a request that needs a secret whose key is lost says so, and what to do", async () => {
  await using api = await testApi();
  const id = await newDestination(api.admin);
  const lost = new Keyring([randomBytes(32)]);
  await api.database`
    update backup_destinations set type = 'custom_s3', settings = ${
    api.database.json({ s3_bucket_name: "b", s3_endpoint: "https://s3.example.test" })
  }, secrets = ${
    api.database.json({ s3_access_key: lost.encrypt("a"), s3_secret_key: lost.encrypt("s") })
  } where id = ${id}`;
  const { status, body } = await api.admin.call("POST", `/api/backup-destinations/${id}/check`, {});
  assert.equal(status, 409, body.message);
  assert.match(body.message, /which SECRET_KEY does not hold\. Store the secret again, or restore/);
});
