import assert from "node:assert/strict";
import { createServer } from "node:net";
import { AddressPolicy } from "../../network/address_policy.ts";
import { Network } from "../../network/network.ts";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import { type Authority, makeAuthority } from "../../../tests/support/servers/authority.ts";
import { freePort } from "../../../tests/support/servers/ports.ts";
import type { ServiceContext } from "../context.ts";
import { watchEndpoints } from "./endpoint_watch.ts";

const HOUR = 3_600_000;

Deno.test("each workspace is told once that its destinations' certificate expires, until the certificate is renewed", async () => {
  await using authority = await makeAuthority();
  const server = new TlsServer(authority);
  await using test = await testServices({ now: new Date() });
  const { clock, database, services } = test;
  const host = `localhost:${server.port}`;
  // Three destinations at the same host and port: two of different types in one workspace, and one in another
  // workspace.
  const { caller: ada, destinationId } = await plant(services, {}, custom(`https://${host}/`));
  await plantDestination(services, ada.userId, webdav(`https://${host}/dav`));
  const { caller: eve } = await plant(services, {}, custom(`LOCALHOST:${server.port}`));
  const { caller: joe } = await plant(services); // has no destination there
  const streams = new Map<number, string>();
  for (const [name, { userId }] of Object.entries({ ada, eve, joe })) {
    streams.set(await newStream(services, { userId, taskId: null }), name);
  }
  const watch = async () => {
    await watchEndpoints(services);
    return (await messages(services)).map((each) => ({ ...each, to: streams.get(each.stream) }));
  };

  // The test's authority has issued a certificate for localhost that is valid for two days.
  assert.deepEqual(await watch(), []);
  assert.equal(server.connections, 1);
  await clock.advance(23 * HOUR);
  await watch();
  assert.equal(server.connections, 1, "the server was connected to twice in a day");
  await clock.advance(10 * HOUR);
  const told = await watch();
  assert.equal(server.connections, 2);
  assert.deepEqual(told.map(({ to }) => to).sort(), ["ada", "eve"]);
  const reason = told.find(({ to }) => to === "ada")!.reason;
  assert.match(reason, new RegExp(`^The certificate of ${host} is valid until 20\\d\\d-.*Z\\. `));
  assert.ok(reason.includes(`here (${destinationId}), dav (`), reason);
  assert.deepEqual(await watch(), []);
  assert.equal(await openAlerts(services), 2);

  // While the server is down for a day, the alerts stay open. Then the server starts with a new certificate,
  // and the alerts end.
  await server.stop();
  await clock.advance(24 * HOUR);
  assert.deepEqual(await watch(), []);
  assert.equal(await openAlerts(services), 2);
  await clock.set(new Date());
  await database`update endpoint_checks set checked_at = ${new Date(clock.now().getTime() - 24 * HOUR)}`;
  await using renewed = await makeAuthority();
  server.start(renewed);
  assert.deepEqual(await watch(), []);
  assert.equal(server.connections, 3);
  assert.equal(await openAlerts(services), 0);
  await server.stop();
});

Deno.test("an alert about a certificate ends when the workspace's last destination there is gone", async () => {
  await using authority = await makeAuthority();
  const server = new TlsServer(authority);
  await using test = await testServices({ now: new Date() });
  const { clock, database, services } = test;
  await clock.advance(40 * HOUR);
  const { caller, destinationId } = await plant(services, {}, webdav(`https://localhost:${server.port}`));
  await newStream(services, { userId: caller.userId, taskId: null });
  await watchEndpoints(services);
  assert.equal((await messages(services)).length, 1);
  assert.equal(await openAlerts(services), 1);
  await database`update backup_destinations set deletes_at = ${clock.now()} where id = ${destinationId}`;
  await watchEndpoints(services);
  assert.equal(await openAlerts(services), 0);
  assert.equal((await database`select from endpoint_checks`).length, 1);
  await clock.advance(25 * HOUR);
  await watchEndpoints(services);
  assert.equal((await database`select from endpoint_checks`).length, 0);
  assert.equal(server.connections, 1);
  await server.stop();
});

Deno.test("endpoints without TLS, without an answer or at refused addresses raise no alert", async () => {
  await using authority = await makeAuthority();
  const server = new TlsServer(authority);
  // A server that begins a long TLS record, sends one byte of it at a time, and never ends it.
  const slow = createServer((socket) => {
    socket.on("error", () => {}); // the client gives up
    socket.write(Uint8Array.of(0x16, 3, 3, 0x40, 0));
    const timer = setInterval(() => socket.write(Uint8Array.of(0)), 200);
    socket.on("close", () => clearInterval(timer));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => slow.once("listening", resolve));
  const { port } = slow.address() as { port: number };
  await using test = await testServices({ now: new Date() });
  const { clock, services } = test;
  await clock.advance(40 * HOUR);
  const { caller: { userId } } = await plant(services, {}, webdav(`http://localhost:${server.port}`));
  await newStream(services, { userId, taskId: null });
  const resolve = ((_, done) => done(null, [{ address: "127.0.0.1", family: 4 }])) as ConstructorParameters<
    typeof Network
  >[1];
  for (const host of ["localhost", "127.0.0.1", "nas.example.test"]) {
    await plantDestination(services, userId, webdav(`https://${host}:${server.port}`));
  }
  await watchEndpoints({ ...services, network: new Network(AddressPolicy.publicOnly, resolve) });
  assert.deepEqual(await messages(services), []);
  assert.equal(server.connections, 0);
  // The second check uses a policy that allows every address, so it reaches the server by each of the three
  // names above. The two endpoints that are added here do not complete a TLS handshake.
  await clock.advance(24 * HOUR);
  for (const address of [`127.0.0.1:${port}`, `localhost:${freePort()}`]) {
    await plantDestination(services, userId, webdav(`https://${address}`));
  }
  await watchEndpoints({ ...services, network: new Network(AddressPolicy.everything, resolve) });
  assert.equal(server.connections, 3);
  assert.equal((await messages(services)).length, 3);
  slow.close();
  await server.stop();
});

Deno.test("two control planes do not check the same endpoint", async () => {
  await using authority = await makeAuthority();
  const server = new TlsServer(authority);
  await using test = await testServices({ now: new Date() });
  const { services } = test;
  await plant(services, {}, webdav(`https://localhost:${server.port}`));
  await Promise.all([watchEndpoints(services), watchEndpoints(services)]);
  assert.equal(server.connections, 1);
  await server.stop();
});

function custom(s3_endpoint: string) {
  return {
    type: "custom_s3",
    settings: { s3_bucket_name: "backups", s3_endpoint, path_style_endpoint: true },
  };
}

function webdav(webdav_url: string) {
  return { type: "webdav", settings: { webdav_url, webdav_username: "ada" } };
}

async function plantDestination(
  { clock, database }: ServiceContext,
  user_id: number,
  destination: ReturnType<typeof webdav>,
) {
  const at = { created_at: clock.now(), updated_at: clock.now() };
  await database`insert into backup_destinations ${
    database({ user_id, label: "dav", ...destination, settings: database.json(destination.settings), ...at })
  }`;
}

/** Deletes all messages, and returns their streams and reasons. */
async function messages({ database }: ServiceContext) {
  const rows = await database<{ stream: number; reason: string }[]>`
    delete from notification_deliveries
    returning notification_stream_id as stream, event->>'reason' as reason`;
  return [...rows];
}

async function openAlerts({ database }: ServiceContext): Promise<number> {
  return (await database`select from alerts where kind = 'certificate.expiring' and closed_at is null`)
    .length;
}

/** A TLS server that counts the connections to it. */
class TlsServer {
  connections = 0;
  readonly port = freePort();
  #listener!: Deno.TlsListener;
  #accepting!: Promise<void>;

  constructor(authority: Authority) {
    this.start(authority);
  }

  start({ cert, key }: Pick<Authority, "cert" | "key">): void {
    this.#listener = Deno.listenTls({ hostname: "127.0.0.1", port: this.port, cert, key });
    this.#accepting = this.#accept(this.#listener);
  }

  async stop(): Promise<void> {
    this.#listener.close();
    await this.#accepting;
  }

  async #accept(listener: Deno.TlsListener): Promise<void> {
    for await (const connection of listener) {
      this.connections += 1;
      await connection.handshake();
      connection.close();
    }
  }
}
