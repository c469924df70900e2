import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { plant, sayHello } from "../../../tests/support/fixtures/planted.ts";
import { UnavailableError } from "../../domain/errors.ts";
import {
  claimPendingRequests,
  type OutgoingRequest,
  recordResponse,
  requestAgent,
} from "./agent_requests.ts";
import { disconnectAgent } from "../servers/connections.ts";
import type { ServiceContext } from "../context.ts";

/** Waits for the database notification of a pending request, then claims and returns the request. */
function nextRequest(services: ServiceContext, serverId: number): Promise<OutgoingRequest> {
  return new Promise((resolve) => {
    const unsubscribe = services.bus.subscribe(async ({ topic }) => {
      if (topic !== "agent_request") return;
      unsubscribe();
      const [delivery] = await claimPendingRequests(services, [serverId]);
      resolve(delivery!);
    });
  });
}

Deno.test("a request reaches the agent with its secrets, and the response reaches the caller", async () => {
  await using test = await testServices();
  const { services, database } = test;
  const password = services.keyring.encrypt("s3same");
  const { serverId, destinationId } = await plant(services, {}, {
    type: "sftp",
    settings: { sftp_host: "backup.example.com", sftp_port: 22, sftp_username: "u", sftp_path: "/b" },
    secrets: { sftp_password: password },
  });
  await sayHello(services, serverId);
  const sent = nextRequest(services, serverId);
  const response = requestAgent(
    services,
    serverId,
    { kind: "destination.check", backup_destination_id: destinationId },
    5000,
  );
  const { request, requestId } = await sent;
  assert.deepEqual(request, {
    kind: "destination.check",
    destination: {
      type: "sftp",
      host: "backup.example.com",
      port: 22,
      username: "u",
      password: "s3same",
      private_key: null,
      host_key: null,
      directory: "/b",
    },
  });
  assert.doesNotMatch(JSON.stringify(await database`select * from agent_requests`), /s3same/);
  // Responses from another server's agent are ignored.
  await recordResponse(services, serverId + 1, requestId, { ok: false, error: "hostile" });
  const result = { ok: true, steps: [{ name: "write", ok: true, message: "", ms: 1 }] };
  await recordResponse(services, serverId, requestId, { ok: true, result });
  assert.deepEqual(await response, result);
});

Deno.test("an absent, failing or silent agent is reported as such", async () => {
  await using test = await testServices();
  const { services, clock } = test;
  const { serverId, destinationId } = await plant(services);
  const ask = () =>
    requestAgent(
      services,
      serverId,
      { kind: "destination.check", backup_destination_id: destinationId },
      5000,
    );
  await assert.rejects(
    ask(),
    (error) => error instanceof UnavailableError && /not connected/.test(error.message),
  );
  const { connection } = await sayHello(services, serverId);
  const sent = nextRequest(services, serverId);
  const failing = ask();
  await recordResponse(services, serverId, (await sent).requestId, { ok: false, error: "It can't." });
  await assert.rejects(failing, /It can't\./);
  const again = nextRequest(services, serverId);
  const silent = assert.rejects(ask(), /did not answer within 5 seconds/);
  await again;
  while (clock.sleeping === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await clock.advance(5000);
  await silent;
  await disconnectAgent(services, connection);
  await assert.rejects(ask(), /not connected/);
});

Deno.test("a request that a lost socket left without response is sent over the next one", async () => {
  await using test = await testServices();
  const { services } = test;
  const { serverId, destinationId } = await plant(services);
  const first = await sayHello(services, serverId);
  const sent = nextRequest(services, serverId);
  const response = requestAgent(
    services,
    serverId,
    { kind: "destination.check", backup_destination_id: destinationId },
    5000,
  );
  await sent;
  assert.deepEqual(await claimPendingRequests(services, [serverId]), []);
  await disconnectAgent(services, first.connection);
  await sayHello(services, serverId);
  const [delivery] = await claimPendingRequests(services, [serverId]);
  await recordResponse(services, serverId, delivery!.requestId, {
    ok: true,
    result: { ok: true, steps: [] },
  });
  assert.deepEqual(await response, { ok: true, steps: [] });
});
