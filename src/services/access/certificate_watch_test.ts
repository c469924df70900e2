import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { makeAuthority } from "../../../tests/support/servers/authority.ts";
import { TlsFront } from "../../../tests/support/servers/tls_front.ts";
import { watchCertificate } from "./certificate_watch.ts";

const HOUR = 3_600_000;

Deno.test("administrators are warned in the last third of a short certificate's time, and not after a renewal", async () => {
  await using authority = await makeAuthority();
  await using front = new TlsFront(authority, 9);
  await using test = await testServices({ now: new Date() });
  const { clock, database, services } = test;
  const { caller: { userId } } = await plant(services);
  await newStream(services, { userId, taskId: null });
  await database`update users set is_admin = true`;
  const url = `https://localhost:${front.port}`;
  const watch = async (at: string | null = url) => {
    for (let i = 0; i < 2; i++) await watchCertificate(services, at);
    const rows = await database<{ reason: string }[]>`
      delete from notification_deliveries returning event->>'reason' as reason`;
    return rows.map(({ reason }) => reason);
  };
  // The test's authority has issued a certificate for localhost that is valid for two days.
  assert.deepEqual(await watch(), []);
  await clock.advance(33 * HOUR);
  const [reason, ...more] = await watch();
  assert.deepEqual(more, []);
  assert.match(reason!, /^The certificate of localhost:\d+ is valid until 20\d\d-.*Z\.$/);
  await clock.set(new Date());
  assert.deepEqual(await watch(), []);
  const open = await database`select from alerts where closed_at is null`;
  assert.equal(open.length, 0);
  await clock.advance(40 * HOUR);
  for (const other of [null, `http://localhost:${front.port}`, "https://localhost:9"]) {
    assert.deepEqual(await watch(other), []);
  }
});
