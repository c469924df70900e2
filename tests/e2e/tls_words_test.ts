/**
 * Tests that TLS errors name the cause in plain words. If it would help to trust the certificate or its
 * authority, the error must also say how to do so. Covers every program and every connection.
 */
import assert from "node:assert/strict";
import { type CertificateKind, CERTIFICATES, makeCertificates } from "../support/servers/bad_certificates.ts";
import { CliHome } from "../support/clients/cli.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { FROM_SOURCE, startAgent } from "../support/servers/control_plane.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { turnTlsOn } from "../support/servers/postgresql_tls.ts";
import { shell } from "../support/fixtures/backup_run.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { until } from "../support/assertions/until.ts";

const TOKEN = "a-token-for-the-tests";
const TRUST = /set DENO_CERT to its certificate \(a PEM file\), or DENO_TLS_CA_STORE=system/;

/**
 * Matches the error message for each certificate. The certificate `good` has no defect, but its authority is
 * not trusted.
 */
const WORDS: Readonly<Record<CertificateKind, RegExp>> = {
  good: /authority (that )?is not trusted here/,
  wrong: /certificate is for another name \(other\.example\.com\)/,
  expired: /certificate expired on 2020-01-03/,
  early: /certificate is not valid before 2040-01-01/,
  self: /certificate is self-signed|authority that is not trusted here/,
};

async function openServers(stack: AsyncDisposableStack) {
  const certificates = stack.use(await makeCertificates());
  const ports = new Map<CertificateKind | "plain", number>();
  for (const kind of [...CERTIFICATES, "plain"] as const) {
    const tls = kind === "plain" ? {} : certificates.pem[kind];
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {}, ...tls },
      () => new Response("here"),
    );
    stack.defer(() => server.shutdown());
    ports.set(kind, (server.addr as Deno.NetAddr).port);
  }
  return { ...certificates, ports };
}

function requireWords(kind: CertificateKind | "plain", text: string): void {
  assert.match(text, kind === "plain" ? /does not speak TLS on that port/ : WORDS[kind], `${kind}: ${text}`);
  assert.equal(TRUST.test(text), kind === "good" || kind === "self", `${kind}: ${text}`);
  assert.doesNotMatch(text, /UnknownIssuer|OtherError|\(UNIX\)|os error|UNABLE_TO|InvalidContentType/, kind);
}

Deno.test("webhooks and buckets of the control plane say what is wrong with a certificate", async () => {
  await using stack = new AsyncDisposableStack();
  const { ports, authority } = await openServers(stack);
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-tls-" });
  stack.defer(() => Deno.remove(dataDirectory, { recursive: true }));
  const db = stack.use(await emptyDatabase());
  const env = { LOCAL_AGENT: "0", DATABASE_URL: db.url, BOOTSTRAP_TOKEN: TOKEN, SECRET_KEY: "ab".repeat(32) };
  for (const trusted of [false, true]) {
    await using server = new ServerProcess({
      dataDirectory,
      env: { ...env, ...(trusted ? { DENO_CERT: authority } : {}) },
    });
    const api = new ApiCaller(await server.ready(), TOKEN);
    for (const [kind, port] of ports) {
      if ((kind === "good") === trusted) continue;
      if (kind === "wrong" && !trusted) continue;
      const value = `https://localhost:${port}/hook`;
      const stream = await api.create("/notification-streams", { label: kind, type: "webhook", value });
      const { body } = await api.call("POST", `/notification-streams/${stream}/test`);
      assert.equal(body.data.ok, false);
      requireWords(kind, body.data.message);
      const destination = await api.create("/backup-destinations", {
        label: kind,
        type: "custom_s3",
        s3_access_key: "a",
        s3_secret_key: "b",
        s3_bucket_name: "bucket",
        custom_s3_endpoint: `https://localhost:${port}`,
        path_style_endpoint: true,
      });
      const check = await api.call("POST", `/backup-destinations/${destination}/check`);
      requireWords(kind, JSON.stringify(check.body.data));
    }
  }
});

Deno.test("the CLI and an agent say what is wrong with the control plane's certificate", async () => {
  await using stack = new AsyncDisposableStack();
  const { ports, authority } = await openServers(stack);
  const home = stack.use(await CliHome.open());
  for (const [kind, port] of ports) {
    const url = `https://localhost:${port}`;
    const trust: Record<string, string> = kind === "good" ? {} : { DENO_CERT: authority };
    const { code, stderr } = await home.run(["servers", "list"], {
      env: { REARGUARD_URL: url, REARGUARD_API_TOKEN: TOKEN, ...trust },
    });
    assert.notEqual(code, 0);
    requireWords(kind, stderr);
  }
  const missing = await home.run(["servers", "list"], {
    env: {
      REARGUARD_URL: `https://localhost:${ports.get("good")}`,
      REARGUARD_API_TOKEN: TOKEN,
      DENO_CERT: "/nonexistent.pem",
    },
  });
  assert.match(missing.stderr, /the file that DENO_CERT names can't be read/);
  for (const kind of ["good", "wrong", "expired"] as const) {
    const state = await Deno.makeTempDir({ prefix: "rearguard-tls-" });
    stack.defer(() => Deno.remove(state, { recursive: true }));
    await Deno.writeTextFile(`${state}/key`, "rga_a-key-of-an-agent", { mode: 0o600 });
    await using run = new AsyncDisposableStack();
    const environment: Record<string, string> = kind === "good" ? {} : { DENO_CERT: authority };
    const agent = await startAgent(
      `https://localhost:${ports.get(kind)}`,
      "",
      { program: FROM_SOURCE, logLevel: "info", environment },
      run,
      { stateDirectory: state },
    );
    await until(() => /Cannot reach the control plane/.test(agent.output()));
    requireWords(kind, agent.output());
  }
});

Deno.test("a database's certificate is refused in words at the start", async () => {
  await using stack = new AsyncDisposableStack();
  const certificates = stack.use(await makeCertificates());
  const postgres = stack.use(await PostgresqlServer.open());
  await turnTlsOn(postgres);
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-tls-" });
  stack.defer(() => Deno.remove(dataDirectory, { recursive: true }));
  for (const kind of CERTIFICATES) {
    await shell(
      `for file in crt:pem key:key; do cat "$1/$2.\${file#*:}" >"$3/data/server.\${file%:*}"; done`,
      certificates.directory,
      kind,
      postgres.directory,
    );
    await postgres.sql("postgres", "select pg_reload_conf()");
    const url = new URL(postgres.url("postgres"));
    url.hostname = "localhost";
    url.searchParams.set("sslmode", "verify-full");
    if (kind !== "good") url.searchParams.set("sslrootcert", certificates.authority);
    await using server = new ServerProcess({
      dataDirectory,
      env: { LOCAL_AGENT: "0", LOG_LEVEL: "fatal", DATABASE_URL: url.href },
    });
    assert.equal((await server.ended()).code, 1, `${kind} was accepted`);
    assert.match(server.stderr, /^Cannot reach the database: /);
    requireWords(kind, server.stderr);
  }
});
