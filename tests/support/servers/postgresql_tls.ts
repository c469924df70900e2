/** Configures TLS for a test's PostgreSQL server, with an authority and a certificate for `localhost`. */
import { type PostgresqlServer, program, systemUser } from "./postgresql.ts";
import { until } from "../assertions/until.ts";

export async function turnTlsOn(server: PostgresqlServer): Promise<string> {
  const owner = await systemUser("postgres");
  const at = (name: string) => `${server.directory}/${name}`;
  const request = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await program([
    ...[...request, "-x509", "-subj", "/CN=Authority", "-days", "2"],
    ...["-keyout", at("ca.key"), "-out", at("ca.crt")],
  ], owner?.name);
  await program([
    ...[...request, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
    ...["-keyout", at("data/server.key"), "-out", at("server.csr")],
  ], owner?.name);
  await program([
    ...["openssl", "x509", "-req", "-in", at("server.csr"), "-copy_extensions", "copy", "-days", "2"],
    ...["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at("data/server.crt")],
  ], owner?.name);
  await Deno.chmod(at("ca.crt"), 0o644);
  await server.sql("postgres", "alter system set ssl = on");
  await server.sql("postgres", "select pg_reload_conf()");
  await until(async () => await server.sql("postgres", "show ssl") === "on\n");
  return at("ca.crt");
}
