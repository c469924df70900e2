import assert from "node:assert/strict";
import { systemClock } from "../../../../src/domain/clock.ts";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { freePort } from "../../../../tests/support/servers/ports.ts";
import { PostgresqlServer } from "../../../../tests/support/servers/postgresql.ts";
import type { RunContext } from "../../run_context.ts";
import { sourceTypes as types } from "../registry.ts";
import { detectEngine } from "./database_engine.ts";

const context = {
  ports: { clock: systemClock, signal: new AbortController().signal },
} as unknown as RunContext;
const at = (host: string | null, port: number | null) => ({ host, port }) as DatabaseSource;

Deno.test("the database server", async (t) => {
  await using postgresql = await PostgresqlServer.open();
  await using mariadb = await MariadbServer.open();
  /** Returns detections that search only the given socket paths. */
  const detections = (directories: string[], paths: string[]) => ({
    postgresql: {
      ...types.postgresql.detection,
      sockets: async (host: string | null, port: number | null) => {
        const places = host === null ? directories : [host];
        return (await Promise.all(places.map((each) => types.postgresql.detection.sockets(each, port))))
          .flat();
      },
    },
    mysql: {
      ...types.mysql.detection,
      sockets: async (host: string | null, port: number | null) =>
        host === null ? paths : await types.mysql.detection.sockets(host, port),
    },
  });
  const usual = detections(["/nowhere", postgresql.directory], ["/nowhere.sock"]);

  await t.step("is detected by its socket", async () => {
    assert.equal(await detectEngine(at(null, null), context.ports, usual), "postgresql");
    assert.equal(
      await detectEngine(at(null, null), context.ports, detections([], [mariadb.socket])),
      "mysql",
    );
    for (const path of [mariadb.socket, mariadb.directory, `${mariadb.directory}/`]) {
      assert.equal(await detectEngine(at(path, null), context.ports, usual), "mysql");
    }
    assert.equal(
      await detectEngine(at(postgresql.directory, postgresql.port), context.ports, usual),
      "postgresql",
    );
  });

  await t.step("is detected by its answer at a port", async () => {
    assert.equal(await detectEngine(at("127.0.0.1", postgresql.port), context.ports, usual), "postgresql");
    assert.equal(await detectEngine(at("localhost", mariadb.port), context.ports, usual), "mysql");
  });

  await t.step("must be named if there are two", async () => {
    await assert.rejects(
      detectEngine(at(null, null), context.ports, detections([postgresql.directory], [mariadb.socket])),
      {
        name: "RunFailedError",
        message: /found postgresql at \/.* and mysql at \/.*mysqld\.sock\. Set the task's database_type\.$/,
      },
    );
  });

  await t.step("is not found if no socket answers or another server uses the port", async () => {
    await assert.rejects(detectEngine(at(null, null), context.ports, detections(["/nowhere"], [])), {
      message: /^Cannot find a database server on this server's sockets/,
    });
    await assert.rejects(detectEngine(at("127.0.0.1", freePort()), context.ports, usual), {
      message: /at 127\.0\.0\.1\. Start it/,
    });
    await using web = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("hello"),
    );
    await assert.rejects(detectEngine(at("127.0.0.1", web.addr.port), context.ports, usual), {
      message: /^Cannot find a database/,
    });
  });

  await t.step("is not found after it was killed, although its socket's file remains", async () => {
    await Deno.writeTextFile(`${postgresql.directory}/.s.PGSQL.1`, "");
    await assert.rejects(detectEngine(at(postgresql.directory, 1), context.ports, usual), {
      message: /^Cannot find a database/,
    });
  });
});
