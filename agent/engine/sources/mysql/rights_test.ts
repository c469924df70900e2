import assert from "node:assert/strict";
import type { DatabaseSource } from "../../../../src/definitions/sources/database_server.ts";
import { BackupRun } from "../../../../tests/support/fixtures/backup_run.ts";
import { MariadbServer } from "../../../../tests/support/servers/mariadb.ts";
import { MysqlConnection } from "./connection.ts";
import { MysqlRights } from "./rights.ts";

/**
 * Returns the rights that follow from `grants`, which stands for the output of SHOW GRANTS. No server is
 * asked, because the tests have no MySQL server.
 */
function rightsOf(version: string, grants: string[], isMariadb = false) {
  const connection = {
    lines: (_: string, sql: string) =>
      Promise.resolve(
        sql.startsWith("show grants") ? grants : ["ada@l`o@10.%", ...isMariadb ? [] : ["`r`@`%`"]],
      ),
  };
  return MysqlRights.read(connection as unknown as MysqlConnection, "mysql", { version, isMariadb });
}

async function lacking(version: string, grants: string[], isMariadb = false): Promise<string[] | undefined> {
  const rights = (await rightsOf(version, grants, isMariadb))!;
  const found = rights.missingRightsOn("sh_op");
  return found === null ? undefined : [found.hidden.join(), ...found.grants];
}

const TO = "TO `ada@l``o`@`10.%`";
const BASE = "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT";

Deno.test("missing rights on a MySQL database are named, and sufficient ones give no advice", async () => {
  assert.equal(await lacking("8.4.0", [`GRANT ALL PRIVILEGES ON \`sh_op\`.* ${TO}`]), undefined);
  assert.equal(await lacking("8.4.0", [`${BASE} ON *.* ${TO} WITH GRANT OPTION`]), undefined);
  assert.equal(
    await lacking("8.0.36", [
      `${BASE} ON \`sh\\_op\`.* ${TO}`,
      `GRANT SHOW_ROUTINE,XA_RECOVER_ADMIN ON *.* ${TO}`,
    ]),
    undefined,
  );
  assert.deepEqual(await lacking("8.0.36", [`${BASE} ON \`sh%\`.* ${TO}`]), [
    "routines",
    `GRANT SHOW_ROUTINE ON *.* ${TO}`,
  ]);
  assert.deepEqual(await lacking("5.7.44", [`${BASE} ON \`sh%\`.* ${TO}`]), [
    "routines",
    `GRANT SELECT ON \`mysql\`.\`proc\` ${TO}`,
  ]);
  // None of these grants gives SELECT on the database: they are for one table, for columns, for another
  // database, or for a pattern that does not match.
  for (const on of ["`sh_op`.`t`", "`sh`.*", "`sh\\\\_`.*", "`other`.*"]) {
    assert.equal(
      (await lacking("8.4.0", [`GRANT SELECT (\`a\`, \`b, c\`), TRIGGER ON ${on} ${TO}`]))![0],
      "tables,views,triggers,events,routines",
    );
  }
  // The login has a right on all databases. A partial REVOKE takes this right back for one database.
  assert.deepEqual(
    await lacking("8.4.0", [
      `GRANT SELECT, TRIGGER, EVENT, SHOW VIEW ON *.* ${TO}`,
      `REVOKE TRIGGER ON \`sh_op\`.* FROM x`,
    ]),
    ["triggers", `GRANT TRIGGER ON \`sh\\_op\`.* ${TO}`],
  );
  assert.deepEqual(await lacking("11.4.2-MariaDB", [`${BASE} ON \`sh_op\`.* ${TO}`], true), [
    "routines",
    `GRANT SHOW CREATE ROUTINE ON \`sh\\_op\`.* ${TO}`,
  ]);
});

Deno.test("a backup warns of objects that the login may not see, with the GRANT that it needs", async (t) => {
  await using server = await MariadbServer.open();
  await server.sql("mysql", "create database shop; create database other");
  await server.sql(
    "shop",
    `create table a (a int); create table b (a int); create trigger tr before insert on a for each row set new.a = 1;
     create procedure p() select 1; create event e on schedule every 1 day do select 1; create view v as select 1`,
  );
  await server.sql("mysql", "create user reader@'%' identified by 'reader'; create role helper");
  const { host, port } = server;
  const source: DatabaseSource = {
    ...{ type: "database", engine: "mysql", names: ["shop"], excluded_tables: [], host, port },
    ...{ username: "reader", password: "reader", format: "custom" },
  };
  const warnings = async (grants: string, names = ["shop"]) => {
    await server.sql("mysql", `revoke all, grant option from reader@'%'; ${grants}`);
    await using run = await BackupRun.open();
    await run.run({ ...source, names });
    return run.warnings;
  };
  const has = (text: string) => `grant select, show view, lock tables, event${text} on shop.* to reader@'%';`;

  await t.step("triggers and routines", async () => {
    assert.deepEqual(await warnings(has("")), [
      "The login may not see all triggers, routines of shop: what it may not see is not in this backup. " +
      "Let it: GRANT TRIGGER ON `shop`.* TO `reader`@`%`; GRANT SELECT ON `mysql`.`proc` TO `reader`@`%`",
    ]);
  });

  await t.step("tables and views", async () => {
    const [warning] = await warnings(
      "grant select on shop.a to reader@'%'; grant event on shop.* to reader@'%'",
    );
    assert.match(warning!, /^The login may not see all tables, views, triggers, routines of shop: /);
    assert.match(warning!, /GRANT SELECT, SHOW VIEW, TRIGGER ON `shop`\.\*/);
  });

  await t.step("databases, if the task names `*`", async () => {
    const grants = has(", trigger") + "grant select on mysql.proc to reader@'%'";
    const [warning, accounts, none] = await warnings(grants, ["*"]);
    assert.match(
      warning!,
      /^The login may not see all databases: .*Let it: GRANT SHOW DATABASES, .* ON \*\.\*/,
    );
    assert.match(accounts!, /^Accounts are not part of this backup: .*GRANT SELECT ON `mysql`\.\*/);
    assert.equal(none, undefined);
  });

  await t.step("nothing is hidden from a login that may see everything, also by a role", async () => {
    assert.deepEqual(await warnings(has(", trigger") + "grant select on mysql.proc to reader@'%'"), []);
    assert.deepEqual(
      await warnings(
        "grant select, show view, trigger, event on *.* to helper; grant helper to reader@'%';" +
          "set default role helper for reader@'%'",
        ["*"],
      ),
      [],
    );
  });
});
