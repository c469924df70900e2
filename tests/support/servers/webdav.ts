/**
 * Runs a real WebDAV server on a free port of 127.0.0.1, for the files in a directory, with basic
 * authentication.
 */
import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import { processTree, signalAll } from "../../../agent/engine/programs/process_tree.ts";
import { shell } from "../fixtures/backup_run.ts";
import { freePort, reachable } from "./ports.ts";

export const WEBDAV_SERVERS = ["apache", "nginx", "rclone"] as const;
export type WebdavServer = typeof WEBDAV_SERVERS[number];

export class TestWebdav implements AsyncDisposable {
  readonly username = "ada lovelace";
  readonly password: string = `${randomBytes(9).toString("base64")}é`;
  #process: Deno.ChildProcess | null = null;

  private constructor(
    private readonly kind: WebdavServer,
    readonly port: number,
    private readonly root: string,
  ) {}

  /** The directory whose files the server offers. */
  get directory(): string {
    return `${this.root}/files`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  static async open(kind: WebdavServer): Promise<TestWebdav> {
    const root = await Deno.makeTempDir({ prefix: "rearguard-webdav-" });
    await Deno.chmod(root, 0o755);
    const server = new TestWebdav(kind, freePort(), root);
    await Deno.mkdir(server.directory);
    await Deno.mkdir(`${root}/run`);
    const owner = kind === "apache" && Deno.uid() === 0 ? "www-data" : userInfo().username;
    await shell('chown "$3" "$1" "$2"', server.directory, `${root}/run`, owner);
    const hash = await shell('openssl passwd -apr1 "$1"', server.password);
    await Deno.writeTextFile(`${root}/users`, `${server.username}:${hash.trim()}\n`);
    await Deno.writeTextFile(`${root}/apache.conf`, apache(root, server.port));
    await Deno.writeTextFile(`${root}/nginx.conf`, nginx(root, server.port));
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const [program, ...args] = this.#command();
    this.#process = new Deno.Command(program!, {
      args,
      // The password is not an argument, because every process can read arguments.
      env: { RCLONE_USER: this.username, RCLONE_PASS: this.password },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await reachable("127.0.0.1", this.port);
  }

  /** Ends the server with SIGKILL, so that clients lose their connections. */
  async kill(): Promise<void> {
    if (this.#process === null) return;
    signalAll(processTree(this.#process.pid), "SIGKILL");
    await this.#process.status;
    this.#process = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.root, { recursive: true });
  }

  #command(): string[] {
    switch (this.kind) {
      case "apache":
        return ["/usr/sbin/apache2", "-f", `${this.root}/apache.conf`, "-DFOREGROUND"];
      case "nginx":
        return ["/usr/sbin/nginx", "-c", `${this.root}/nginx.conf`];
      case "rclone":
        return ["rclone", "serve", "webdav", "--addr", `127.0.0.1:${this.port}`, this.directory];
    }
  }
}

function apache(root: string, port: number): string {
  const modules = [
    "mpm_event",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_user",
    "auth_basic",
    "dav",
    "dav_fs",
  ];
  return `ServerRoot ${root}
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile ${root}/run/pid
ErrorLog ${root}/run/log
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
${Deno.uid() === 0 ? "User www-data\nGroup www-data" : ""}
DocumentRoot ${root}/files
DavLockDB ${root}/run/locks
<Directory ${root}/files>
  Dav On
  AuthType Basic
  AuthName files
  AuthUserFile ${root}/users
  Require valid-user
</Directory>
`;
}

function nginx(root: string, port: number): string {
  return `${Deno.uid() === 0 ? "user root;" : ""}
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
pid ${root}/run/pid;
error_log ${root}/run/log;
events {}
http {
  access_log off;
  client_body_temp_path ${root}/run/bodies;
  proxy_temp_path ${root}/run/proxy;
  fastcgi_temp_path ${root}/run/fastcgi;
  uwsgi_temp_path ${root}/run/uwsgi;
  scgi_temp_path ${root}/run/scgi;
  server {
    listen 127.0.0.1:${port};
    root ${root}/files;
    client_max_body_size 0;
    auth_basic files;
    auth_basic_user_file ${root}/users;
    location / {
      dav_methods PUT DELETE MKCOL MOVE;
      dav_ext_methods PROPFIND OPTIONS;
    }
  }
}
`;
}
