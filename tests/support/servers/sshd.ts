/**
 * Runs a real OpenSSH server on a free port of 127.0.0.1, for SFTP only. If the tests run as root, creates a
 * system user with a key and a password, and removes the user at the end. If they run as another user, the
 * server accepts a key for this user.
 */
import { createHash, randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { processTree, signalAll } from "../../../agent/engine/programs/process_tree.ts";
import { freePort, reachable } from "./ports.ts";

export class TestSshd implements AsyncDisposable {
  readonly host = "127.0.0.1";
  #listener: Deno.ChildProcess | null = null;

  readonly username: string;
  /** The user's password; null if the tests do not run as root, because only root can set a password. */
  readonly password: string | null;
  readonly uid: number;
  readonly gid: number;
  /** The user's private key, as OpenSSH PEM. */
  readonly privateKey: string;
  /**
   * The fingerprint of the server's Ed25519 key: `SHA256:…`. Clients pin this key, and the server offers it
   * first.
   */
  readonly hostKey: string;
  /** The fingerprint of the server's ECDSA key. */
  readonly secondHostKey: string;

  private constructor(
    readonly port: number,
    /** The directory for files. The user is allowed to write to it. */
    readonly directory: string,
    private readonly root: string,
    account: Account,
    keys: Keys,
  ) {
    ({ username: this.username, password: this.password, uid: this.uid, gid: this.gid } = account);
    ({ privateKey: this.privateKey, hostKey: this.hostKey, secondHostKey: this.secondHostKey } = keys);
  }

  /**
   * Starts a server.
   *
   * @param sftp With `through the shell`, the server makes the user's login shell start SFTP. As root, this
   *   shell is `nologin`: it does not start SFTP, and only prints text and ends.
   * @param settings Additional lines of the server's configuration.
   */
  static async open(
    sftp: "internal" | "through the shell" = "internal",
    ...settings: string[]
  ): Promise<TestSshd> {
    const root = await Deno.makeTempDir({ prefix: "rearguard-sshd-" });
    await Deno.chmod(root, 0o755);
    const directory = `${root}/files`;
    await Deno.mkdir(directory);
    const account = Deno.uid() === 0 ? await makeAccount(directory) : ownAccount();
    await Deno.chown(directory, account.uid, account.gid);
    await makeKey("ed25519", `${root}/host_key`);
    await makeKey("ecdsa", `${root}/second_host_key`);
    await makeKey("ed25519", `${root}/user_key`);
    await Deno.copyFile(`${root}/user_key.pub`, `${root}/authorized_keys`);
    const port = freePort();
    await Deno.writeTextFile(`${root}/sshd_config`, configuration(root, port, sftp === "internal", settings));
    const sshd = new TestSshd(port, directory, root, account, {
      privateKey: await Deno.readTextFile(`${root}/user_key`),
      hostKey: fingerprint(await Deno.readTextFile(`${root}/host_key.pub`)),
      secondHostKey: fingerprint(await Deno.readTextFile(`${root}/second_host_key.pub`)),
    });
    await sshd.start();
    return sshd;
  }

  /** Starts the listener; restarts it after {@link kill}. Resolves once it accepts connections. */
  async start(): Promise<void> {
    // OpenSSH needs this directory for privilege separation. Its path is compiled in. The directory is on a
    // tmpfs, which might be empty in a container.
    if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
    this.#listener = new Deno.Command("/usr/sbin/sshd", {
      args: ["-D", "-e", "-f", `${this.root}/sshd_config`],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await reachable(this.host, this.port);
  }

  /** Ends the listener and every session with SIGKILL, so that clients lose their connections. */
  async kill(): Promise<void> {
    if (this.#listener === null) return;
    signalAll(processTree(this.#listener.pid), "SIGKILL");
    await this.#listener.status;
    this.#listener = null;
  }

  /** Lets the user's password expire. Needs root. */
  async expirePassword(): Promise<void> {
    await accounts("chage", "-d", "0", this.username);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    if (Deno.uid() === 0) await accounts("userdel", "--force", this.username);
    await Deno.remove(this.root, { recursive: true });
  }
}

function configuration(root: string, port: number, isInternal: boolean, settings: string[]): string {
  return [
    // sshd uses the first of several settings with the same name, so the test's settings come first.
    ...settings,
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${root}/host_key`,
    `HostKey ${root}/second_host_key`,
    `AuthorizedKeysFile ${root}/authorized_keys`,
    `PidFile ${root}/sshd.pid`,
    "StrictModes no",
    "UsePAM no",
    "UseDNS no",
    "PasswordAuthentication yes",
    "PubkeyAuthentication yes",
    "MaxStartups 100:30:200",
    ...isInternal
      ? ["Subsystem sftp internal-sftp", "ForceCommand internal-sftp"]
      : ["Subsystem sftp /usr/lib/openssh/sftp-server"],
    "",
  ].join("\n");
}

async function makeKey(kind: string, path: string): Promise<void> {
  await program("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path);
}

interface Keys {
  readonly privateKey: string;
  readonly hostKey: string;
  readonly secondHostKey: string;
}

interface Account {
  username: string;
  password: string | null;
  uid: number;
  gid: number;
}

function ownAccount(): Account {
  const { username, uid, gid } = userInfo();
  return { username, password: null, uid, gid };
}

async function makeAccount(home: string): Promise<Account> {
  const username = `rg-test-${randomBytes(4).toString("hex")}`;
  const password = randomBytes(12).toString("hex"); // no program can mistake it for an option
  const hash = await program("openssl", "passwd", "-6", password);
  await accounts("useradd", "-M", "-d", home, "-s", "/usr/sbin/nologin", "-p", hash, username);
  const [uid, gid] = await Promise.all([program("id", "-u", username), program("id", "-g", username)]);
  return { username, password, uid: Number(uid), gid: Number(gid) };
}

/**
 * Runs a command that changes system users. These commands fail while /etc/passwd is locked, and test files
 * run in parallel. So only one such command runs at a time.
 */
function accounts(...command: string[]): Promise<string> {
  return program("flock", "/tmp/rearguard-test-accounts.lock", ...command);
}

/**
 * Returns the fingerprint of a public key, as `ssh-keygen -l` prints it. The input is the text of a public
 * key file.
 */
function fingerprint(publicKey: string): string {
  const blob = publicKey.split(" ")[1]!;
  return `SHA256:${createHash("sha256").update(blob, "base64").digest("base64").replace(/=+$/, "")}`;
}

async function program(name: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(name, { args, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run ${name}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout).trim();
}
