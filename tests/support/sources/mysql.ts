/** The fixture for MySQL: two databases of one MariaDB server, restored on another server. */
import type { DatabaseSource } from "../../../src/definitions/sources/database_server.ts";
import { MariadbServer } from "../servers/mariadb.ts";
import type { SourceFixture } from "./fixture.ts";

/** A name that starts like an option, and that every program quotes differently. */
const ODD = "-od d.b'x";
const NAMES = ["shop", ODD];
const NEW_NAMES = ["shop again", "odd again"];
/** Matches those comment lines of a dump that contain the database's name. */
const DATABASE_LINES = /^-- (?:Host: |Dumping (?:events|routines) for database )/;

export async function mysqlFixture(): Promise<SourceFixture> {
  const [server, other] = await Promise.all([MariadbServer.open(), MariadbServer.open()]);
  await server.sql(
    "mysql",
    `create database shop character set utf8mb4 collate utf8mb4_bin; create database ${quote(ODD)}`,
  );
  await server.sql(
    "mysql",
    "create user shop_owner@localhost identified by 'hush'; grant all on shop.* to shop_owner@localhost",
  );
  await server.sql("shop", SCHEMA);
  await server.sql(ODD, "create table note (text text); insert into note values ('tab\\there')");
  const spec: DatabaseSource = {
    type: "database",
    engine: "mysql",
    names: ["*"],
    excluded_tables: ["sessions", "shop.events"],
    host: server.host,
    port: server.port,
    username: server.username,
    password: server.password,
    format: "custom",
  };
  const describe = async (at: MariadbServer, names: string[], without: string[]) => [
    ...(await describeDatabase(at, names[0]!, without)),
    ...(await describeDatabase(at, names[1]!, without)),
    await at.sql("mysql", "show grants for shop_owner@localhost"),
  ];
  const onSocket = { host: server.socket, port: null, username: "root", password: null };
  return {
    variants: [
      { name: "all databases, by password", spec },
      { name: "two databases, by the socket", spec: { ...spec, ...onSocket, names: ["shop", ODD] } },
    ],
    secrets: [server.password, "hush"],
    restoration: async (line, database) => {
      if (database !== null) {
        const how = database === "shop" ? "character set utf8mb4 collate utf8mb4_bin" : "";
        await other.sql("mysql", `create database ${quote(database)} ${how}`);
      }
      const connect = `| mariadb --no-defaults --socket=${other.socket} --user=root`;
      return {
        line: line.replace("| mariadb", connect).replace("DATABASE", '-- "$DATABASE"'),
        env: { DATABASE: database ?? "" },
      };
    },
    describeOriginal: () => describe(server, NAMES, ["sessions", "events"]),
    describeRestored: () => describe(other, NAMES, []),
    api: {
      requests: NAMES.map((name, index) => ({ databases: [name], database_name: NEW_NAMES[index] })),
      describeRestored: () => describe(server, NEW_NAMES, []),
    },
    restoreServer: {
      login: {
        engine: "mysql",
        host: other.host,
        port: other.port,
        username: other.username,
        password: other.password,
      },
      names: ["shop", ODD],
      prepare: async () => {
        const account = "shop_owner@localhost";
        await other.sql(
          "mysql",
          `create or replace user ${account} identified by 'hush'; grant all on shop.* to ${account}`,
        );
      },
      quote,
      sql: (database, text) => other.sql(database, text),
      describe: (name) => describeDatabase(other, name, []),
      list: async () => {
        const names = "select schema_name from information_schema.schemata where schema_name not in " +
          "('mysql', 'sys', 'information_schema', 'performance_schema') order by 1";
        return (await other.sql("mysql", names)).trim().split("\n");
      },
      connections: async (name) => {
        const count = `select count(*) from information_schema.processlist where db = '${name}'`;
        return Number(await other.sql("mysql", count));
      },
    },
    reset: async () => {
      const drop = (names: string[]) =>
        names.map((name) => `drop database if exists ${quote(name)};\n`).join("");
      await other.sql("mysql", drop(NAMES));
      await server.sql("mysql", drop(NEW_NAMES));
      // Accounts are kept. Only a dump of `*` contains accounts, so only the first variant restores them.
      // They still exist when the second variant is restored.
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

function quote(name: string): string {
  return "`" + name.replaceAll("`", "``") + "`";
}

/** Returns a database as SQL: every definition, and every row in the order of its key. */
async function describeDatabase(
  server: MariadbServer,
  database: string,
  /** Tables whose rows are not returned. */
  without: string[],
): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command("mariadb-dump", {
    args: [
      "--no-defaults",
      `--socket=${server.socket}`,
      "--user=root",
      "--routines",
      "--triggers",
      "--events",
      "--hex-blob",
      "--skip-dump-date",
      "--skip-extended-insert",
      "--order-by-primary",
      "--",
      database,
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const rows = without.map((table) => `INSERT INTO ${quote(table)} VALUES`);
  return new TextDecoder().decode(stdout).split("\n").filter((line) =>
    !DATABASE_LINES.test(line) && !rows.some((insert) => line.startsWith(insert))
  );
}

const SCHEMA = `
create table customer (
  id int unsigned auto_increment primary key, name varchar(200) not null, born date, balance decimal(12, 4),
  mood enum('fine', 'odd'), extra json, photo longblob, bits bit(7), seen timestamp(6) null, tiny tinyint(1), place point,
  shout varchar(200) as (upper(name)) virtual, kept int as (year(born) * 2) stored, key (born), fulltext (name)
) engine=innodb auto_increment=100;
insert into customer (name, born, balance, mood, extra, photo, bits, seen, tiny, place)
select concat('name ', seq, ' \\\\ é 😀 \\'q\\' \\n'), date_add('1900-01-01', interval seq day), seq * 1.0001,
  elt(1 + seq % 2, 'fine', 'odd'), json_object('i', seq), unhex(concat('00ff', md5(seq))), b'1010101',
  date_add('2020-01-01', interval seq second), seq % 2, point(seq, -seq)
from seq_1_to_30000;
create table \`order \`\`odd\` (id int primary key, customer_id int unsigned, at datetime, constraint order_customer
  foreign key (customer_id) references customer (id));
insert into \`order \`\`odd\` select seq, seq + 99, now() from seq_1_to_500;
create table old_style (a int, b text) engine=myisam; insert into old_style values (1, 'x'), (2, null);
create table sessions (id int); insert into sessions values (1);
create table events (id int); insert into events values (1);
create view rich as select id, name from customer where balance > 100;
create sequence tickets start with 500;
select nextval(tickets);
delimiter //
create procedure pay(in who int unsigned, out paid int) begin update customer set balance = balance - 1 where id = who; set paid = 1; end//
create function twice(n int) returns int deterministic return n * 2//
create trigger stamp before insert on \`order \`\`odd\` for each row begin set new.at = now(); end//
create event nightly on schedule every 1 day starts '2030-01-01' do begin delete from sessions; end//
delimiter ;
`;
