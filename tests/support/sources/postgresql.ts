/**
 * The fixture for PostgreSQL: two databases of one server, reached by socket and by password, restored on
 * another server.
 */
import type { DatabaseSource } from "../../../src/definitions/sources/database_server.ts";
import { PostgresqlServer } from "../servers/postgresql.ts";
import type { SourceFixture } from "./fixture.ts";

/** A name that a shell, a connection string and a pattern would each misread. */
const ODD = `we'ird "=db`;
const EXCLUDED = ["sessions", "audit.events"];
const NAMES = ["shop", ODD];
const NEW_NAMES = ["shop again", "odd again"];

export async function postgresqlFixture(): Promise<SourceFixture> {
  const [server, other] = await Promise.all([PostgresqlServer.open(), PostgresqlServer.open()]);
  await server.sql(
    "postgres",
    "create role shop_owner login password 'hush'; create database shop owner shop_owner",
  );
  await server.sql("postgres", `create database ${identifier(ODD)}`);
  await server.sql("shop", SCHEMA);
  await server.sql(ODD, "create table note (text text); insert into note values (E'tab\\there\\nline')");
  const spec: DatabaseSource = {
    type: "database",
    engine: "postgresql",
    names: ["*"],
    excluded_tables: EXCLUDED,
    host: server.host,
    port: server.port,
    username: server.username,
    password: server.password,
    format: "custom",
  };
  const describe = async (at: PostgresqlServer, names: string[], emptied: string[]) => [
    ...(await describeDatabase(at, names[0]!, emptied)),
    ...(await describeDatabase(at, names[1]!, emptied)),
    await at.sql(
      "postgres",
      "select rolname from pg_roles where rolpassword is not null and rolname !~ '^pg_' order by 1",
    ),
  ];
  return {
    variants: [
      { name: "all databases, custom format", spec },
      {
        name: "all databases, plain format, by the socket",
        spec: { ...spec, ...socket(server), format: "plain" },
      },
    ],
    secrets: [server.password, "hush"],
    restoration: async (line, database) => {
      const target = database === null ? "postgres" : database;
      const conninfo = `dbname='${target.replace(/[\\']/g, "\\$&")}'`;
      if (database === "shop" || database === ODD) {
        await other.sql("postgres", `create database ${identifier(database)}`);
      }
      return {
        line: line.replace("DATABASE", '"$DATABASE"'),
        env: {
          DATABASE: conninfo,
          PGHOST: other.directory,
          PGPORT: String(other.port),
          PGUSER: other.username,
        },
      };
    },
    describeOriginal: () =>
      describe(server, NAMES, ["public.sessions", "public.sessions_1", "audit.sessions", "audit.events"]),
    describeRestored: () => describe(other, NAMES, []),
    api: {
      requests: NAMES.map((name, index) => ({ databases: [name], database_name: NEW_NAMES[index] })),
      describeRestored: () => describe(server, NEW_NAMES, []),
    },
    restoreServer: {
      login: {
        engine: "postgresql",
        host: other.host,
        port: other.port,
        username: other.username,
        password: other.password,
      },
      names: ["shop", ODD],
      prepare: async () => void await other.sql("postgres", "create role shop_owner login password 'hush'"),
      quote: identifier,
      sql: (database, text) => other.sql(database, text),
      describe: (name) => describeDatabase(other, name, []),
      list: async () => {
        const names = "select datname from pg_database where datname !~ '^(postgres|template.)$' order by 1";
        return (await other.sql("postgres", names)).trim().split("\n");
      },
      connections: async (name) => {
        const count = `select count(*) from pg_stat_activity where datname = '${name}'`;
        return Number(await other.sql("postgres", count));
      },
    },
    reset: async () => {
      const drop = (names: string[]) =>
        names.map((name) => `drop database if exists ${identifier(name)};\n`).join("");
      await other.sql("postgres", drop(NAMES));
      await server.sql("postgres", drop(NEW_NAMES));
      await other.sql("postgres", "drop role if exists shop_owner");
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function socket(server: PostgresqlServer): Partial<DatabaseSource> {
  return { host: server.directory, port: server.port, username: null, password: null };
}

/**
 * Describes a database: its schema as SQL, its sequences, and digests of its large objects and of every
 * table's rows. The rows of `emptied` tables are left out.
 */
async function describeDatabase(
  server: PostgresqlServer,
  database: string,
  emptied: string[],
): Promise<string[]> {
  const schema = await server.client("pg_dump", ["--schema-only"], database);
  const tables = [...schema.matchAll(/^CREATE (?:TABLE|MATERIALIZED VIEW) (.+) (?:\(|AS)$/gm)];
  const sums = tables.map(([, table]) =>
    `select $$${table}$$, count(*), md5(string_agg(t::text, E'\\n' order by t::text)) from ${table} t where ${!emptied
      .includes(table!)};\n`
  );
  const told = await server.sql(
    database,
    `${sums.join("")}
    select * from pg_sequences order by 1, 2;
    select oid, md5(lo_get(oid)) from pg_largeobject_metadata order by 1;`,
  );
  return [
    ...schema.split("\n").filter((line) => !/^\\(un)?restrict /.test(line)),
    ...told.split("\n"),
  ];
}

const SCHEMA = `
create extension if not exists plpgsql;
create schema audit;
create type mood as enum ('fine', 'odd');
create table customer (
  id int generated always as identity primary key,
  name text not null, born date, balance numeric(12, 4), mood mood, tags text[], extra jsonb, photo bytea,
  seen timestamptz, shout text generated always as (upper(name)) stored
);
insert into customer (name, born, balance, mood, tags, extra, photo, seen)
select 'name ' || i || E' \\\\ é 😀\\n', date '1900-01-01' + i, i * 1.0001, case i % 2 when 0 then 'fine' else 'odd' end::mood,
  array['a', null, '"' || i], jsonb_build_object('i', i), decode(md5(i::text), 'hex'), timestamptz '2020-01-01' + i * interval '1 s'
from generate_series(1, 50000) i;
create table "Order ""odd""" (id bigserial primary key, customer_id int references customer, at timestamp default now());
insert into "Order ""odd""" (customer_id) select i from generate_series(1, 1000) i;
alter sequence "Order ""odd""_id_seq" restart with 123456;
create table measurement (at date not null, value float8) partition by range (at);
create table measurement_2020 partition of measurement for values from ('2020-01-01') to ('2021-01-01');
insert into measurement select date '2020-01-01' + i, random() from generate_series(0, 300) i;
create index on measurement (at);
create table sessions (id int) partition by list (id);
create table sessions_1 partition of sessions for values in (1);
create table audit.sessions (id int);
create table audit.events (id int);
create table audit.kept (id int);
insert into sessions values (1); insert into audit.events values (1); insert into audit.kept values (1);
create view rich as select id, name from customer where balance > 100;
create materialized view totals as select mood, sum(balance) from customer group by mood;
create function touch() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create trigger touch before update on "Order ""odd""" for each row execute function touch();
create rule ignore as on delete to audit.kept do instead nothing;
comment on table customer is 'who''s who';
alter table customer owner to shop_owner; grant select on rich to shop_owner;
select lo_from_bytea(424242, decode(repeat('00ff10', 5000), 'hex')); select lo_from_bytea(0, 'second');
`;
