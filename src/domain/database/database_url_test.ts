import assert from "node:assert/strict";
import { databaseUrlProblem, parseDatabaseUrl } from "./database_url.ts";

Deno.test("a URL names one server or several, each with a port of its own", () => {
  const servers = (text: string) =>
    parseDatabaseUrl(text)?.servers.map(({ host, port }) => `${host} ${port}`);
  assert.deepEqual(servers("postgres://u:p@db.example.com/r"), ["db.example.com 5432"]);
  assert.deepEqual(servers("postgresql://db:6000"), ["db 6000"]);
  assert.deepEqual(servers("postgres://u:p%40ss@h1:1,h2,[::1]:3,[fe80::2]/r"), [
    "h1 1",
    "h2 5432",
    "::1 3",
    "fe80::2 5432",
  ]);
  assert.deepEqual(servers("postgres://u@%2Frun%2Fpostgresql/r"), ["/run/postgresql 5432"]);
  assert.deepEqual(servers("postgres:///r"), []);
});

Deno.test("the driver's URL has one server and every other option", () => {
  assert.equal(
    parseDatabaseUrl("postgres://u:p%40ss@h1:1,h2:2/r?target_session_attrs=read-write&keep_alive=5")?.url,
    "postgres://u:p%40ss@h1:1/r?keep_alive=5",
  );
  assert.equal(
    parseDatabaseUrl("postgres://u@h1,h2/r?target_session_attrs=primary")?.url,
    "postgres://u@h1/r",
  );
});

Deno.test("TLS options mean the same as in libpq", () => {
  const tls = (options: string) => parseDatabaseUrl(`postgres://u@h1,h2/r?${options}`)?.tls;
  const system = { rootCertificate: null };
  assert.equal(tls(""), null);
  assert.equal(tls("sslmode=disable"), null);
  assert.deepEqual(tls("sslmode=allow"), { mode: "prefer", ...system });
  assert.deepEqual(tls("sslmode=require"), { mode: "require", ...system });
  assert.deepEqual(tls("ssl=true"), { mode: "verify-full", ...system });
  assert.deepEqual(tls("sslmode=require&sslrootcert=system"), { mode: "verify-full", ...system });
  const rootCertificate = "/etc/ca.pem";
  assert.deepEqual(tls("sslrootcert=/etc/ca.pem"), { mode: "verify-full", rootCertificate });
  assert.deepEqual(tls("sslmode=verify-ca&sslrootcert=/etc/ca.pem"), { mode: "verify-ca", rootCertificate });
  assert.equal(parseDatabaseUrl("postgres://u@h1/r?sslmode=require")?.url, "postgres://u@h1/r");
});

Deno.test("text that is not a URL of writable servers is refused", () => {
  for (
    const text of [
      "mysql://db/r",
      "postgres://h1,,h2/r",
      "postgres://h1:0/r",
      "postgres://h1:65536/r",
      "postgres://h1:x,h2/r",
      "postgres://::1/r",
      "postgres://h1,h2/r?target_session_attrs=standby",
      "postgres://h1,h2/r?target_session_attrs=any",
      "postgres://h1/r?sslmode=sometimes",
      "postgres://h1/r#x",
      "postgres://h1/r s",
      "postgres:///r?host",
      "postgres:///r?host=%ff",
      "postgres:///r?host=a/b",
      "postgres:///r?host=@abstract",
      "postgres:///r?host=/a,/b&port=1,2,3",
      "postgres:///r?port=x",
      "postgres://h1/r?hostaddr=10.0.0.1,10.0.0.2",
      "postgres://h1/r?channel_binding=require",
      "postgres://h1/r?sslcert=/etc/cert.pem",
      "postgres://h1/r?service=backup",
    ]
  ) {
    assert.equal(parseDatabaseUrl(text), null, text);
  }
});

Deno.test("parameters override the parts of the URL before them, as in libpq", () => {
  const read = (text: string) => {
    const { servers, database, url } = parseDatabaseUrl(text)!;
    return [servers.map(({ host, port }) => `${host} ${port}`).join(","), database, new URL(url)] as const;
  };
  for (
    const [text, servers, database] of [
      ["postgres:///db?host=/run/postgresql&port=5433", "/run/postgresql 5433", "db"],
      ["postgresql:///db?host=%2Frun%2Fmy%20sockets", "/run/my sockets 5432", "db"],
      ["postgres://u:p@/db?host=/run", "/run 5432", "db"],
      ["postgres://u@/db?host=h1,h2&port=6000", "h1 6000,h2 6000", "db"],
      ["postgres://u@/db?host=h1,/run&port=6000,", "h1 6000,/run 5432", "db"],
      ["postgres://h1:1,h2:2/db?port=3", "h1 3,h2 3", "db"],
      ["postgres://h1/db?host=h2&dbname=other%20one", "h2 5432", "other one"],
      ["postgres://h1:/a%2Fb", "h1 5432", "a/b"],
      ["postgres:///db?host=::1", "::1 5432", "db"],
      ["postgres://", "", null],
      ["postgres://?dbname=db&port=5433", "", "db"],
    ] as const
  ) {
    assert.deepEqual(read(text).slice(0, 2), [servers, database], text);
  }
  assert.equal(parseDatabaseUrl("postgres:///db?port=5433")?.port, 5433);
  assert.deepEqual(parseDatabaseUrl("postgres://h1/db?hostaddr=10.0.0.1")?.servers, [
    { host: "h1", port: 5432, address: "10.0.0.1" },
  ]);
  const [, , url] = read(
    "postgres://a:b@/db?host=/run&user=jo%40x&password=p+w%2F&options=-c%20a%3Db&keepalives=1",
  );
  assert.deepEqual([decodeURIComponent(url.username), decodeURIComponent(url.password)], ["jo@x", "p+w/"]);
  assert.equal(url.search, "?options=-c%20a%3Db");
});

Deno.test("the reason for refusing a URL contains no value of it", () => {
  const text = "postgres://jo:hush@h1/r?channel_binding=require";
  assert.equal(databaseUrlProblem(text), "its parameter channel_binding is not supported");
  assert.equal(databaseUrlProblem("postgres://jo:hush@h1/r?channel_binding=prefer"), null);
  assert.match(databaseUrlProblem("mysql://jo:hush@h1/r")!, /^it is not a postgres:\/\/ URL/);
});
