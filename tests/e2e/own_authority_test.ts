/**
 * Tests all outgoing TLS connections of the control plane, to servers whose certificates are from a private
 * certificate authority. The tests are repeated for each command line that Rearguard ships, with the
 * permissions that it gives to Deno.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Authority, makeAuthority } from "../support/servers/authority.ts";
import { CliHome } from "../support/clients/cli.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { LOOPBACK_ALLOWED } from "../support/servers/loopback.ts";
import { PostgresqlServer } from "../support/servers/postgresql.ts";
import { turnTlsOn } from "../support/servers/postgresql_tls.ts";
import { HttpReceiver, MailReceiver } from "../support/servers/receivers.ts";
import { containerRights, rightsOf, unitRights } from "../support/assertions/rights.ts";
import { TestS3 } from "../support/servers/s3.ts";
import { ServerProcess } from "../support/servers/server.ts";
import { TlsFront } from "../support/servers/tls_front.ts";

const ADMIN = fileURLToPath(new URL("../../src/admin/main.ts", import.meta.url));
const TOKEN = "a-token-for-the-tests";

const COMMAND_LINES: Readonly<Record<string, (dataDirectory: string) => string[]>> = {
  "deno task start": () => rightsOf("start"),
  "rearguard.service": unitRights,
  "compose.yaml": containerRights,
};

/**
 * Functions that return environment variables, one for each way to make Deno trust an authority. Deno reads
 * the system's certificate store from the file that `SSL_CERT_FILE` names.
 */
const SETTINGS: readonly ((file: string) => Record<string, string>)[] = [
  (file) => ({ DENO_CERT: file }),
  (file) => ({ NODE_EXTRA_CA_CERTS: file }),
  (file) => ({ DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: file }),
];

interface Peers {
  authority: Authority;
  webhook: HttpReceiver;
  mail: MailReceiver;
  s3: TestS3;
  /** The ports of the TLS proxies in front of a webhook's server, a mail server and an S3 server. */
  ports: { webhook: number; mail: number; s3: number };
}

async function openPeers(stack: AsyncDisposableStack): Promise<Peers> {
  const authority = stack.use(await makeAuthority());
  const webhook = stack.use(new HttpReceiver());
  const mail = stack.use(await MailReceiver.open());
  const s3 = stack.use(await TestS3.open());
  const front = (address: string) =>
    stack.use(new TlsFront(authority, Number(address.split(":").at(-1)))).port;
  const ports = { webhook: front(webhook.url), mail: front(mail.address), s3: front(s3.endpoint) };
  return { authority, webhook, mail, s3, ports };
}

/**
 * Returns whether a webhook, a mail server and a bucket can be reached. Their certificates are from the
 * private authority.
 */
async function tryAll(api: ApiCaller, { s3, ports }: Peers) {
  const stream = async (type: string, value: string) => {
    const id = await api.create("/notification-streams", { label: type, type, value });
    return (await api.call("POST", `/notification-streams/${id}/test`)).body.data;
  };
  const destination = await api.create("/backup-destinations", {
    label: "bucket",
    type: "custom_s3",
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: `https://localhost:${ports.s3}`,
    path_style_endpoint: true,
  });
  const check = await api.call("POST", `/backup-destinations/${destination}/check`);
  return {
    webhook: await stream("webhook", `https://localhost:${ports.webhook}/hook`),
    mail: await stream("email", "ops@example.com"),
    bucket: check.body.data,
  };
}

for (const [name, rights] of Object.entries(COMMAND_LINES)) {
  Deno.test(`under the rights of ${name} an own authority is trusted by webhooks, mail and buckets`, async () => {
    await using stack = new AsyncDisposableStack();
    const peers = await openPeers(stack);
    const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-authority-" });
    stack.defer(() => Deno.remove(dataDirectory, { recursive: true }));
    const db = stack.use(await emptyDatabase());
    const start = (settings: Record<string, string>) =>
      new ServerProcess({
        dataDirectory,
        rights: rights(dataDirectory),
        env: {
          LOCAL_AGENT: "0",
          DATABASE_URL: db.url,
          BOOTSTRAP_TOKEN: TOKEN,
          SECRET_KEY: "ab".repeat(32),
          SMTP_URL: `smtps://localhost:${peers.ports.mail}`,
          SMTP_FROM: "rearguard@example.com",
          ...settings,
        },
      });
    for (const setting of SETTINGS) {
      await using server = start(setting(peers.authority.file));
      const outcome = await tryAll(new ApiCaller(await server.ready(), TOKEN), peers);
      const named = JSON.stringify([setting("FILE"), outcome]);
      assert.equal(outcome.webhook.ok, true, named);
      assert.equal(outcome.mail.ok, true, named);
      assert.equal(outcome.bucket.ok, true, named);
      assert.doesNotMatch(server.stderr, /NotCapable|Requires \S+ access/);
    }
    // If no authority is trusted, every connection fails. This proves that the connections above were
    // verified.
    await using server = start({});
    const outcome = await tryAll(new ApiCaller(await server.ready(), TOKEN), peers);
    assert.deepEqual([outcome.webhook.ok, outcome.mail.ok, outcome.bucket.ok], [false, false, false]);
    assert.doesNotMatch(JSON.stringify(outcome), /NotCapable|allow-sys/);
  });
}

Deno.test("under their rights the admin commands reach a bucket, and the CLI a control plane, of an own authority", async () => {
  await using stack = new AsyncDisposableStack();
  const peers = await openPeers(stack);
  const directory = await Deno.makeTempDir({ prefix: "rearguard-authority-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const db = stack.use(await emptyDatabase());
  const home = stack.use(await CliHome.open());
  const empty = stack.use(await emptyDatabase());
  const env = { LOCAL_AGENT: "0", DATABASE_URL: db.url, BOOTSTRAP_TOKEN: TOKEN };
  const plane = stack.use(new ServerProcess({ dataDirectory: `${directory}/plane`, env }));
  const { port } = new URL(await plane.ready());
  const front = stack.use(new TlsFront(peers.authority, Number(port)));
  for (const setting of SETTINGS) {
    const { stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...rightsOf("admin"), ADMIN, "recover", "--from", `s3://${peers.s3.bucket}`],
      env: {
        ...LOOPBACK_ALLOWED,
        DATABASE_URL: empty.url,
        DATA_DIR: `${directory}/data`,
        SECRET_KEY: "ab".repeat(32),
        AWS_ENDPOINT_URL: `https://localhost:${peers.ports.s3}`,
        AWS_ACCESS_KEY_ID: peers.s3.accessKey,
        AWS_SECRET_ACCESS_KEY: peers.s3.secretKey,
        NODE_EXTRA_CA_CERTS: "",
        ...setting(peers.authority.file),
      },
    }).output();
    assert.match(
      new TextDecoder().decode(stderr),
      /^Cannot recover: .* contains no complete backup of a control plane/m,
    );
    const { code, stdout, stderr: complaint } = await home.run(["servers", "list"], {
      env: {
        REARGUARD_URL: `https://localhost:${front.port}`,
        REARGUARD_API_TOKEN: TOKEN,
        ...setting(peers.authority.file),
      },
    });
    assert.equal(code, 0, stdout + complaint);
  }
});

Deno.test("under the rights of every command line a database is reached over verified TLS", async () => {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await PostgresqlServer.open());
  const authority = await turnTlsOn(server);
  const dataDirectory = await Deno.makeTempDir({ prefix: "rearguard-authority-" });
  stack.defer(() => Deno.remove(dataDirectory, { recursive: true }));
  for (const [at, [name, rights]] of Object.entries(COMMAND_LINES).entries()) {
    await server.sql("postgres", `create database plane_${at}`);
    const url = new URL(server.url(`plane_${at}`));
    url.hostname = "localhost";
    const settings: Record<string, string>[] = [
      {},
      { DENO_CERT: authority },
      { NODE_EXTRA_CA_CERTS: authority },
    ];
    for (const setting of settings) {
      url.searchParams.set("sslmode", "verify-full");
      if (Object.keys(setting).length === 0) url.searchParams.set("sslrootcert", authority);
      else url.searchParams.delete("sslrootcert");
      await using plane = new ServerProcess({
        dataDirectory,
        rights: rights(dataDirectory),
        env: { LOCAL_AGENT: "0", DATABASE_URL: url.href, SECRET_KEY: "ab".repeat(32), ...setting },
      });
      await plane.ready();
      assert.doesNotMatch(plane.stderr, /NotCapable|Requires \S+ access/, name);
    }
  }
});
