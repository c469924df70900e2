/**
 * The script that created the fixture in this directory: `deno run -A make.ts CHECKOUT`. CHECKOUT is a work
 * tree of the oldest commit from which upgrades are supported, with its packages installed.
 *
 * The control plane of that commit and its local agent back up three sources: a directory, a PostgreSQL
 * database and a MariaDB database. Each source is backed up to every type of destination, both unencrypted
 * and encrypted. The stored objects are in this directory.
 */
import { ApiCaller } from "../../support/clients/client.ts";
import { shell } from "../../support/fixtures/backup_run.ts";
import { MariadbServer } from "../../support/servers/mariadb.ts";
import { PostgresqlServer } from "../../support/servers/postgresql.ts";
import { freePort } from "../../support/servers/ports.ts";
import { TestS3 } from "../../support/servers/s3.ts";
import { TestSshd } from "../../support/servers/sshd.ts";
import { until } from "../../support/assertions/until.ts";

/** Values of the old control plane. tests/e2e/upgrade_test.ts uses the same token and secret key. */
const ROOT = "/var/tmp/rearguard-oldest";
const TOKEN = "rg_of-the-oldest-control-plane-0123456789";
const SECRET_KEY = "0123456789abcdef".repeat(4);
const HERE = new URL(".", import.meta.url).pathname;

const [checkout] = Deno.args;
if (checkout === undefined) throw new Error("Name the checkout of the old version");

await using stack = new AsyncDisposableStack();
await shell('rm -rf "$1" && mkdir -p "$1/source" && chmod 755 "$1"', ROOT);
stack.defer(() => Deno.remove(ROOT, { recursive: true }));
await shell(
  `cd "$1" && mkdir -p sub/empty && echo one > one && ln one sub/hard && ln -s one link && echo zwei > 'süß "x"' &&
  printf 'line\\n%.0s' $(seq 2000) > sub/long && chmod 750 one && touch -d '2001-02-03 04:05:06' one sub/long`,
  `${ROOT}/source`,
);
const own = stack.use(await PostgresqlServer.open());
const postgres = stack.use(await PostgresqlServer.open());
await own.sql("postgres", "create database rearguard");
await postgres.sql("postgres", "create database shop");
await postgres.sql("shop", await Deno.readTextFile(`${HERE}postgresql.sql`));
const mariadb = stack.use(await MariadbServer.open());
await mariadb.sql("mysql", "create database shop character set utf8mb4");
await mariadb.sql("shop", await Deno.readTextFile(`${HERE}mysql.sql`));
const s3 = stack.use(await TestS3.open());
const sshd = stack.use(await TestSshd.open());

const port = freePort();
const child = new Deno.Command(Deno.execPath(), {
  args: ["run", "--allow-all", "main.ts", "--local-agent"],
  cwd: checkout,
  env: {
    DATA_DIR: `${ROOT}/data`,
    DATABASE_URL: own.url("rearguard"),
    PORT: String(port),
    BOOTSTRAP_TOKEN: TOKEN,
    SECRET_KEY,
    RATE_LIMIT_PER_MINUTE: "0",
  },
}).spawn();
const api = new ApiCaller(`http://127.0.0.1:${port}`, TOKEN);
const firstServer = async () => (await api.call("GET", "/remote-servers")).body.data?.[0];
await until(
  async () => (await firstServer().catch(() => null))?.status.connectivity === "connected",
  120_000,
);
const { id: remote_server_id } = await firstServer();

const destinations = {
  local: { local_path: `${ROOT}/local` },
  custom_s3: {
    s3_access_key: s3.accessKey,
    s3_secret_key: s3.secretKey,
    s3_bucket_name: s3.bucket,
    custom_s3_endpoint: s3.endpoint,
    path_style_endpoint: true,
  },
  sftp: {
    sftp_host: sshd.host,
    sftp_port: sshd.port,
    sftp_username: sshd.username,
    sftp_private_key: sshd.privateKey,
    sftp_host_key: sshd.hostKey,
    sftp_path: sshd.directory,
  },
};
const database = ({ host, port, username, password }: PostgresqlServer | MariadbServer) => ({
  database_name: "shop",
  database_host: host,
  database_port: port,
  database_username: username,
  database_password: password,
});
const sources = {
  files: { type: "files", source_path: `${ROOT}/source` },
  postgresql: { type: "database", database_type: "postgresql", ...database(postgres) },
  mysql: { type: "database", database_type: "mysql", ...database(mariadb) },
};

for (const [type, settings] of Object.entries(destinations)) {
  const backup_destination_id = await api.create("/backup-destinations", { label: type, type, ...settings });
  for (const [name, source] of Object.entries(sources)) {
    for (const password of [null, "the password of the oldest"]) {
      const task = {
        label: `${name} to ${type}${password === null ? "" : ", encrypted"}`,
        remote_server_id,
        backup_destination_id,
        store_path: `${name}/${password === null ? "plain" : "encrypted"}`,
        frequency: "daily",
        time_to_run_at: "01:00",
        timezone: "UTC",
        maximum_backups_to_keep: 5,
        ...(password === null ? {} : { encryption_password: password }),
        ...(name === "postgresql" && password === null ? { database_format: "plain" } : {}),
        ...source,
      };
      const id = await api.create("/backup-tasks", task);
      const log = await api.run(id);
      if (log.status !== "successful") throw new Error(`${task.label}: ${log.output}`);
      // Pause the task, so that no schedule starts a run after the upgrade.
      await api.call("POST", `/backup-tasks/${id}/pause`);
    }
  }
}
await api.create("/tags", { label: "old" });
await api.create("/notification-streams", { label: "ops", type: "email", value: "ops@example.com" });
child.kill("SIGTERM");
await child.status;

await shell(
  `set -e
  PGPASSWORD="$3" pg_dump --no-owner --no-privileges --dbname="$2" |
    sed -e "s#$4#@SFTP@#g" -e "s#${ROOT}#@ROOT@#g" -e "s#\\b$(hostname)\\b#oldhost#g" -e 's/"os": "linux [^"]*"/"os": "linux"/' -e '/^\\\\\\(un\\)\\?restrict/d' > "$1/database.sql"
  objects=$(mktemp -d)
  cp -a ${ROOT}/local "$objects/local"
  cp -a "$4" "$objects/sftp"
  cp -a "$5" "$objects/s3"
  cp -a ${ROOT}/source "$objects/source"
  mkdir "$objects/agent" && cp ${ROOT}/data/agent/key "$objects/agent/"
  tar -C "$objects" --owner=0 --group=0 --numeric-owner -cf - . | zstd -19 -q -f -o "$1/objects.tar.zst"
  rm -r "$objects"`,
  HERE,
  own.url("rearguard"),
  own.password,
  sshd.directory,
  s3.bucketDirectory,
);
