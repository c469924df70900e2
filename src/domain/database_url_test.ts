import assert from "node:assert/strict";
import { parseDatabaseUrl } from "./database_url.ts";

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

Deno.test("what is left for the driver has one server and every other option", () => {
  assert.equal(
    parseDatabaseUrl("postgres://u:p%40ss@h1:1,h2:2/r?target_session_attrs=read-write&keep_alive=5")?.url,
    "postgres://u:p%40ss@h1:1/r?keep_alive=5",
  );
  assert.equal(
    parseDatabaseUrl("postgres://u@h1,h2/r?target_session_attrs=primary")?.url,
    "postgres://u@h1/r",
  );
});

Deno.test("how the way to the server is encrypted is told as for libpq", () => {
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

Deno.test("what is no URL of servers that take writes is refused", () => {
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
    ]
  ) {
    assert.equal(parseDatabaseUrl(text), null, text);
  }
});
