import assert from "node:assert/strict";
import { isThisMachine, requestedServer, serverToLoadInto } from "./database_server.ts";
import { InvalidError } from "../errors.ts";

const production = { host: "db.prod", port: 5433, username: "shop" };
const socket = { host: null, port: null, username: null };

Deno.test("names of the machine itself are recognized", () => {
  const own = [null, "localhost", "LOCALHOST.", "db.localhost", "127.0.0.1", "127.9.8.7", "::1", "0:0::1"];
  for (const host of [...own, "::ffff:127.0.0.1", "/var/run/postgresql"]) {
    assert.equal(isThisMachine(host), true, String(host));
  }
  for (
    const host of [
      "db.prod",
      "10.0.0.1",
      "127.example.com",
      "localhost.example.com",
      "::2",
      "::ffff:10.0.0.1",
    ]
  ) {
    assert.equal(isThisMachine(host), false, host);
  }
});

Deno.test("the task's server is used from the task's own machine, or if its host is the local machine", () => {
  assert.deepEqual(serverToLoadInto(production, true, null), production);
  assert.deepEqual(serverToLoadInto({ ...production, host: "::1" }, false, null), {
    ...production,
    host: "::1",
  });
  assert.deepEqual(serverToLoadInto(null, false, null), socket);
  assert.throws(
    () => serverToLoadInto(production, false, null),
    (error) =>
      error instanceof InvalidError &&
      /db\.prod, may hold the original/.test(error.errors.database_host![0]!),
  );
});

Deno.test("a requested server replaces the task's server completely", () => {
  const requested = requestedServer({ database_host: "db.staging" });
  assert.deepEqual(serverToLoadInto(production, false, requested), { ...socket, host: "db.staging" });
  assert.deepEqual(
    serverToLoadInto(production, true, requestedServer({ database_host: null, database_port: 5434 })),
    {
      ...socket,
      port: 5434,
    },
  );
  assert.equal(requestedServer({}), null);
  assert.throws(
    () => requestedServer({ database_port: 1, database_username: "x" }),
    (error) => error instanceof InvalidError && Object.keys(error.errors).length === 2,
  );
});
