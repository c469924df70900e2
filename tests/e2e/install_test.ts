import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { installScript } from "../../src/http/routes/servers/install.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { emptyDatabase } from "../support/fixtures/database.ts";
import { ServerProcess } from "../support/servers/server.ts";

/** Starts a control plane with a remote server that has no agent yet. */
async function withControlPlane(
  work: (
    plane: { url: string; root: string; api: (method: string, path: string) => Promise<Response> },
  ) => Promise<void>,
): Promise<void> {
  await using db = await emptyDatabase();
  const root = await Deno.makeTempDir({ prefix: "rearguard-install-" });
  try {
    const env = { LOCAL_AGENT: "0", DATABASE_URL: db.url, BOOTSTRAP_TOKEN: "a-token-for-tests" };
    await using server = new ServerProcess({ dataDirectory: `${root}/data`, env });
    const url = await server.ready();
    const api = (method: string, path: string, body?: unknown) =>
      fetch(`${url}${path}`, {
        method,
        headers: { authorization: "Bearer a-token-for-tests", "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    const created = await api("POST", "/api/remote-servers", { label: "web", ip_address: "192.0.2.1" });
    assert.equal(created.status, 201, await created.text());
    await work({ url, root: `${root}/server`, api });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Runs the install script in the same way as `curl … | sh`. */
async function install(url: string, root: string, token: string | null) {
  const script = await (await fetch(`${url}/install.sh`)).text();
  const child = new Deno.Command("setsid", {
    args: ["--wait", "sh"], // a session without a terminal, which could prompt
    env: { REARGUARD_ROOT: root, ...(token === null ? {} : { REARGUARD_TOKEN: token }) },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/**
 * Starts the agent with the command of its systemd unit, waits until its server is connected, and stops it.
 */
async function runInstalledAgent(root: string, connected: () => Promise<boolean>): Promise<void> {
  const unit = await Deno.readTextFile(join(root, "etc/systemd/system/rearguard-agent.service"));
  const [program, ...args] = /^ExecStart=(.*)$/m.exec(unit)![1]!.split(" ").map((word) =>
    /^\/(usr\/local|var\/lib)\//.test(word) ? join(root, word) : word
  );
  const [, url] = /^REARGUARD_URL=(.*)$/m.exec(
    await Deno.readTextFile(join(root, "etc/rearguard-agent/agent.env")),
  )!;
  const child = new Deno.Command(program!, {
    args,
    env: { REARGUARD_URL: url! },
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const awake = setInterval(() => {}, 1000);
  try {
    while (!await connected()) await systemClock.sleep(50);
  } finally {
    clearInterval(awake);
    child.kill("SIGTERM");
    await child.status;
  }
}

Deno.test("a server gets its agent from the control plane alone, and keeps it when the script runs again", () =>
  withControlPlane(async ({ url, root, api }) => {
    const makeToken = async () =>
      (await (await api("POST", "/api/remote-servers/1/enrolment-tokens")).json()).data.token as string;
    const connectivity = async () =>
      (await (await api("GET", "/api/remote-servers/1")).json()).data.status.connectivity as string;
    const isConnected = async () => await connectivity() === "connected";
    const token = await makeToken();
    const first = await install(url, root, token);
    if (Deno.uid() !== 0) {
      assert.match(first.text, /Cannot install the agent: it must run as root/);
      return;
    }
    assert.deepEqual(first, { code: 0, text: `The agent is installed under ${root}.\n` });
    const tokenFile = join(root, "var/lib/rearguard-agent/token");
    const keyFile = join(root, "var/lib/rearguard-agent/key");
    assert.equal((await Deno.stat(tokenFile)).mode! & 0o777, 0o600);
    assert.equal((await Deno.readTextFile(tokenFile)).trim(), token);
    await runInstalledAgent(root, isConnected);
    const key = await Deno.readTextFile(keyFile);
    assert.equal((await Deno.stat(keyFile)).mode! & 0o777, 0o600);

    // An upgrade needs no token and keeps the operator's settings.
    const settings = join(root, "etc/rearguard-agent/agent.env");
    const own = "DENO_CERT=/etc/ssl/own.pem\nHTTPS_PROXY=http://u:p@proxy:3128\n";
    await Deno.writeTextFile(settings, `REARGUARD_URL=http://old.example.com\n${own}`);
    await Deno.chmod(settings, 0o600);
    assert.equal((await install(url, root, null)).code, 0);
    assert.equal(await Deno.readTextFile(settings), `REARGUARD_URL=${url}\n${own}`);
    assert.equal((await Deno.stat(settings)).mode! & 0o777, 0o600);
    await Deno.writeTextFile(settings, `REARGUARD_URL=${url}\n`);
    assert.equal((await install(url, root, token)).code, 0);
    assert.equal(await Deno.readTextFile(keyFile), key);
    await assert.rejects(Deno.stat(tokenFile), Deno.errors.NotFound);

    await (await api("DELETE", "/api/remote-servers/1/agent")).body?.cancel();
    const without = await install(url, root, null);
    assert.equal(without.code, 1);
    assert.match(without.text, /set REARGUARD_TOKEN to the server's enrolment token/);
    assert.equal((await install(url, root, await makeToken())).code, 0);
    await runInstalledAgent(root, isConnected);
    assert.notEqual(await Deno.readTextFile(keyFile), key);
  }));

Deno.test("every file has the checksum that is published, and none but these is served", () =>
  withControlPlane(async ({ url }) => {
    const sums = (await (await fetch(`${url}/agent/SHA256SUMS`)).text()).trimEnd().split("\n");
    const names = sums.map((line) => line.slice(66)).sort();
    assert.deepEqual(names, ["agent.js", "deno", "rearguard-agent.service"]);
    for (const line of sums) {
      const response = await fetch(`${url}/agent/${line.slice(66)}`);
      const hash = createHash("sha256");
      for await (const chunk of response.body!) hash.update(chunk);
      assert.equal(hash.digest("hex"), line.slice(0, 64));
    }
    for (const name of ["secret.key", "..%2Fsecret.key", "%2Fetc%2Fpasswd"]) {
      const response = await fetch(`${url}/agent/${name}`);
      assert.equal(response.status, 404);
      await response.body?.cancel();
    }
  }));

Deno.test("a host name is no way into the script", async () => {
  const script = installScript("url=@URL@\ntarget=@TARGET@\n", "http://a'$(id)`id`;id:1", "x'y");
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `${script}printf '%s|%s' "$url" "$target"`],
  })
    .output();
  assert.equal(new TextDecoder().decode(stdout), "http://a'$(id)`id`;id:1|x'y");
});
