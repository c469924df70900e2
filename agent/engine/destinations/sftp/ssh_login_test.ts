import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { sshdSpec } from "../../../../tests/support/fixtures/destinations.ts";
import { freePort } from "../../../../tests/support/servers/ports.ts";
import { TestSshd } from "../../../../tests/support/servers/sshd.ts";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { RunFailedError } from "../../ports.ts";
import { logIn } from "./ssh_login.ts";

const never = new AbortController().signal;

async function login(spec: Spec): Promise<void> {
  const client = await logIn(spec, never);
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.end();
  await closed;
}

async function reason(spec: Spec): Promise<string> {
  const error = await login(spec).then(() => assert.fail("it got in"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  assert.match(error.message, /^Cannot [^\n]+$/);
  for (const secret of [spec.password, spec.private_key]) {
    if (secret) assert.equal(Deno.inspect(error).includes(secret), false);
  }
  return error.message;
}

Deno.test("a host key that is not the pinned one is refused, and both are shown", async () => {
  await using sshd = await TestSshd.open();
  const pinned = `SHA256:${"A".repeat(43)}`;
  const message = await reason({ ...sshdSpec(sshd), host_key: pinned });
  for (const key of [pinned, sshd.hostKey, sshd.secondHostKey]) assert(message.includes(key), message);
  assert.match(message, /set sftp_host_key to the new one/);
});

Deno.test("without a pinned host key nothing is sent, and the one to pin is named", async () => {
  await using sshd = await TestSshd.open();
  const message = await reason({ ...sshdSpec(sshd), host_key: null });
  assert(message.includes(sshd.hostKey), message);
  assert.match(message, /no host key is pinned.*ssh-keygen -lf.*set sftp_host_key to it/);
});

Deno.test("a pinned key of another kind than the server shows first is found", async () => {
  await using sshd = await TestSshd.open();
  await login({ ...sshdSpec(sshd), host_key: sshd.secondHostKey });
  await login({ ...sshdSpec(sshd), host_key: `${sshd.hostKey.slice("SHA256:".length)}=` });
  const message = await reason({
    ...sshdSpec(sshd),
    host_key: sshd.secondHostKey,
    private_key: null,
    password: "wrong",
  });
  assert.match(message, /does not let the user in/);
});

Deno.test({
  name: "a password lets in, and a wrong one does not",
  // Only root can create a user with a password.
  ignore: Deno.uid() !== 0,
  async fn() {
    await using sshd = await TestSshd.open();
    const spec = { ...sshdSpec(sshd), private_key: null };
    await login({ ...spec, password: sshd.password });
    assert.match(
      await reason({ ...spec, password: "wrong" }),
      /does not let the user in with the password\. Check sftp_username/,
    );
  },
});

Deno.test("a key that the server does not know does not let in", async () => {
  await using sshd = await TestSshd.open();
  await using other = await TestSshd.open();
  const spec = { ...sshdSpec(sshd), private_key: other.privateKey };
  assert.match(await reason(spec), /does not let the user in with the private key/);
});

Deno.test("a private key that can't be used is told as such", async () => {
  await using sshd = await TestSshd.open();
  const path = await Deno.makeTempDir();
  const args = ["-q", "-t", "ed25519", "-N", "a passphrase", "-f", `${path}/key`];
  await new Deno.Command("ssh-keygen", { args }).output();
  const locked = await Deno.readTextFile(`${path}/key`);
  await Deno.remove(path, { recursive: true });
  const spec = sshdSpec(sshd);
  assert.match(
    await reason({ ...spec, private_key: locked }),
    /protected by a passphrase\. Send it again, with sftp_private_key_passphrase/,
  );
  assert.match(await reason({ ...spec, private_key: "-- no key --" }), /in an unsupported format/);
});

Deno.test("a server that can't be reached is told as such", async () => {
  await using sshd = await TestSshd.open();
  const spec = sshdSpec(sshd);
  assert.match(await reason({ ...spec, port: freePort() }), /refuses the connection/);
  assert.match(
    await reason({ ...spec, host: "no-such-host.invalid" }),
    /the host name does not exist|can't be resolved/,
  );
  await using http = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response(""));
  assert.match(await reason({ ...spec, port: http.addr.port }), /closed the connection/);
});

Deno.test("a cancel ends a login that hangs", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using sshd = await TestSshd.open();
  const cancel = new AbortController();
  const spec = { ...sshdSpec(sshd), port: (silent.addr as Deno.NetAddr).port };
  const login = logIn(spec, cancel.signal);
  using connection = await silent.accept();
  assert(connection);
  cancel.abort(new Error("cancelled"));
  await assert.rejects(login, /cancelled/);
});

Deno.test("a server that asks for the password as a question is answered", async () => {
  // ssh2 makes some keys that it cannot read itself: about one in several hundred.
  let pair = ssh2.utils.generateKeyPairSync("ed25519");
  const isBroken = (key: string) => ssh2.utils.parseKey(key) instanceof Error;
  while (isBroken(pair.public) || isBroken(pair.private)) pair = ssh2.utils.generateKeyPairSync("ed25519");
  const hostKey = pair.private;
  const parsed = ssh2.utils.parseKey(pair.public);
  const blob = (parsed as unknown as { getPublicSSH(): Uint8Array }).getPublicSSH();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", blob as BufferSource));
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
    client.on("authentication", (attempt) => {
      if (attempt.method !== "keyboard-interactive") return attempt.reject(["keyboard-interactive"]);
      attempt.prompt([{ prompt: "Password: ", echo: false }], (answers) => {
        if (answers[0] === "right") attempt.accept();
        else attempt.reject();
      });
    }).on("error", () => {});
  });
  const port = freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", () => resolve()));
  const spec: Spec = {
    type: "sftp",
    host: "127.0.0.1",
    port,
    username: "somebody",
    password: "right",
    private_key: null,
    host_key: `SHA256:${digest.toBase64()}`,
    directory: ".",
  };
  await login(spec);
  assert.match(await reason({ ...spec, password: "wrong" }), /does not let the user in with the password/);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("it works from the one file that an agent is shipped as", async () => {
  await using sshd = await TestSshd.open();
  const directory = await Deno.makeTempDir({ prefix: "rearguard-bundle-" });
  const bundled = `${directory}/login.js`;
  const source = new URL("ssh_login.ts", import.meta.url).pathname;
  const deno = async (args: string[], cwd: string) => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd }).output();
    assert(success, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  const project = new URL("../../../..", import.meta.url).pathname;
  await deno(
    ["bundle", "--quiet", "--platform", "deno", "--external", "*.node", "-o", bundled, source],
    project,
  );
  const program = `
    const { logIn } = await import("./login.js");
    const client = await logIn(${JSON.stringify(sshdSpec(sshd))}, new AbortController().signal);
    client.on("close", () => console.log("in and out")).end();`;
  await Deno.writeTextFile(`${directory}/main.js`, program);
  assert.equal(await deno(["run", "--allow-all", "--no-config", "main.js"], directory), "in and out\n");
  await Deno.remove(directory, { recursive: true });
});
