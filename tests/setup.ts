/**
 * Installs the programs that the tests need, with apt, if the tests run as root. Without root, throws an
 * error with the command that installs the programs.
 */
import { exists, findProgram, postgresVersions } from "./support/programs.ts";

/** Debian packages, each with the programs or paths that show that it is installed. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "acl": ["setfacl", "getfacl"],
  "age": ["age"],
  "apache2": ["/usr/sbin/apache2"],
  "attr": ["setfattr", "getfattr"],
  "bindfs": ["bindfs"],
  "btrfs-progs": ["mkfs.btrfs", "btrfs"],
  "chromium": ["chromium"],
  "curl": ["curl"],
  "e2fsprogs": ["chattr"],
  "exfat-fuse": ["mount.exfat-fuse"],
  "exfatprogs": ["mkfs.exfat"],
  "faketime": ["faketime"],
  "fuse3": ["fusermount3"],
  "jq": ["jq"],
  "libnginx-mod-http-dav-ext": ["/usr/lib/nginx/modules/ngx_http_dav_ext_module.so"],
  "mariadb-client": ["mariadb", "mariadb-dump"],
  sqlite3: ["sqlite3"],
  "mariadb-server": ["mariadbd", "mariadb-install-db"],
  "mount": ["mount", "umount"],
  "nginx-light": ["/usr/sbin/nginx"],
  "openssh-client": ["ssh-keygen", "sftp"],
  "openssh-server": ["sshd"],
  "openssl": ["openssl"],
  "passwd": ["useradd", "userdel"],
  "pgbouncer": ["pgbouncer"],
  "postgresql": ["postgres", "initdb"],
  "postgresql-client": ["psql", "pg_dump", "pg_restore"],
  "procps": ["ps"],
  "rclone": ["rclone"],
  "systemd": ["systemd-analyze"],
  "tar": ["tar"],
  "util-linux": ["setpriv", "setsid"],
  "zstd": ["zstd", "pzstd"],
};

const POLICY = "/usr/sbin/policy-rc.d";

/** Installs missing programs. Rejects with a one-line error if a program cannot be installed. */
export async function setUp(): Promise<void> {
  // The names of PostgreSQL's extensions contain its version, so they are known only after the first round
  // has installed PostgreSQL.
  for (let round = 0; round < 2; round++) {
    const missing = await missingPackages();
    if (missing.length === 0) return;
    await install(missing);
  }
  const still = await missingPackages();
  if (still.length > 0) {
    throw new Error(`Cannot run the tests: apt installed ${still.join(", ")}, but not the expected programs`);
  }
}

async function install(packages: readonly string[]): Promise<void> {
  const command = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (Deno.uid() !== 0 || await findProgram("apt-get") === null) {
    throw new Error(
      `Cannot run the tests: programs are missing; run: sudo apt-get update && sudo ${command}`,
    );
  }
  await withoutServices(async () => {
    await run(["apt-get", "update"]);
    await run(command.split(" "));
  });
}

async function missingPackages(): Promise<string[]> {
  const missing: string[] = [];
  for (const [name, programs] of Object.entries({ ...PACKAGES, ...await extensions() })) {
    for (const program of programs) {
      if (program.startsWith("/") ? await exists(program) : await findProgram(program) !== null) continue;
      missing.push(name);
      break;
    }
  }
  return missing;
}

/** Returns the packages of PostgreSQL's extensions for the installed version. */
async function extensions(): Promise<Record<string, readonly string[]>> {
  const [version] = await postgresVersions();
  if (version === undefined) return {};
  return { [`postgresql-${version}-cron`]: [`/usr/share/postgresql/${version}/extension/pg_cron.control`] };
}

/**
 * Runs `work`, which installs packages with apt. Keeps apt from starting servers of these packages, because
 * tests start their own servers on free ports.
 */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (await exists(POLICY)) return await work();
  await Deno.writeTextFile(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await work();
  } finally {
    await Deno.remove(POLICY);
  }
}

async function run([program, ...args]: string[]): Promise<void> {
  const command = new Deno.Command(program!, {
    args,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  });
  const { code } = await command.spawn().status;
  if (code !== 0) throw new Error(`Cannot run the tests: ${[program, ...args].join(" ")} ended with ${code}`);
}
