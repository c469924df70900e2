/**
 * Checks the configuration files that docs/operate/scaling.md describes. Checks only what can be checked
 * without the programs that read these files.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { readConfig } from "../../src/config.ts";
import { ENDPOINTS } from "../../src/http/routes.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const read = (path: string) => Deno.readTextFile(`${ROOT}/${path}`);

interface Service {
  image: string;
  command?: string[];
  working_dir?: string;
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  depends_on?: string[] | Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

async function composeServices(): Promise<Record<string, Service>> {
  const file = parse(await read("deploy/compose.yaml"), { merge: true, strict: true });
  // The variables of .env get values that are valid, but have no meaning here.
  const filled = JSON.stringify(file).replaceAll(
    /\$\{(\w+):\?\}/g,
    (_, name: string) => name === "PUBLIC_URL" ? "https://backup.example.com" : "ab".repeat(32),
  );
  assert.ok(!filled.includes("${"));
  const { services, volumes } = JSON.parse(filled);
  assert.deepEqual(Object.keys(volumes), ["postgres"]);
  return services;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("the compose file's control planes start what is there, with settings that are read", async () => {
  const services = await composeServices();
  const planes = Object.entries(services).filter(([name]) => name.startsWith("control-plane"));
  assert.equal(planes.length, 2);
  for (const [name, plane] of planes) {
    const config = readConfig(plane.environment!, { localAgent: true, isRoot: true });
    assert.equal(config.localAgent, false);
    assert.match(config.databaseUrl!, /@postgres:5432\/rearguard$/);
    assert.notEqual(config.secretKeys, null, "a file of its own would be another key in each of them");
    const known = await read("src/config.ts");
    for (const variable of Object.keys(plane.environment!)) {
      assert.ok(known.includes(`"${variable}"`), variable);
    }
    assert.deepEqual(plane.volumes, ["..:/app:ro"]);
    assert.equal(plane.working_dir, "/app");
    assert.ok(await exists(`${ROOT}/${plane.command!.at(-1)}`));
    // The container must have the same permissions as the systemd unit, except for paths.
    // `unit_rights_test.ts` starts control planes with each of these two sets of permissions.
    const [, started] = /^ExecStart=\S+\/deno (.+)$/m.exec(await read("systemd/rearguard.service"))!;
    const rights = (words: string[]) =>
      words.map((word) => word.replace(/^(--allow-(?:read|write|run))=.+/, "$1"));
    assert.deepEqual(rights(plane.command!), rights(started!.split(" ")), name);
    assert.equal(plane.image, services.install!.image);
    assert.match(await read("README.md"), new RegExp(`Deno.*\\b${/:(\d+\.\d+)\./.exec(plane.image)![1]}`));
    assertProbe(plane.healthcheck!.test.join(" "), config.port);
  }
  // `deno task packages` fetches no package that only tests import. The documentation has the same command.
  assert.deepEqual(services.install!.command, ["task", "--quiet", "packages"]);
  for (const path of ["systemd/rearguard.service", "docs/operate/install.md", "docs/operate/upgrade.md"]) {
    const installs = [...(await read(path)).matchAll(/deno (?:install|task packages)[^`\n]*/g)];
    assert.deepEqual(installs.map(([text]) => text), ["deno task packages"], path);
  }
  for (const { depends_on = {} } of Object.values(services)) {
    const names = Array.isArray(depends_on) ? depends_on : Object.keys(depends_on);
    for (const name of names) assert.ok(name in services, name);
  }
  for (const volume of Object.values(services).flatMap(({ volumes = [] }) => volumes)) {
    const [from] = volume.split(":");
    assert.ok(from === "postgres" || await exists(`${ROOT}/deploy/${from}`), volume);
  }
});

function assertProbe(text: string, port: number): void {
  const [, found, path] = /127\.0\.0\.1:(\d+)(\/\w+)/.exec(text)!;
  assert.equal(Number(found), port);
  assert.ok(ENDPOINTS.some((endpoint) => endpoint.path === path && endpoint.access === "public"), path);
}

Deno.test("the balancers reach every control plane, ask whether it is ready and pin nobody to one", async () => {
  const services = await composeServices();
  const haproxy = await read("deploy/haproxy.cfg");
  const planes = Object.keys(services).filter((name) => name.startsWith("control-plane"));
  const servers = [...haproxy.matchAll(/^\s+server (\S+) (\S+):(\d+)$/gm)].map((
    [, name, host, port],
  ) => [name, host, port]);
  assert.deepEqual(servers, planes.map((name) => [name, name, services[name]!.environment!.PORT]));
  const [, probe] = /option httpchk GET (\S+)/.exec(haproxy)!;
  assert.ok(ENDPOINTS.some(({ path }) => path === probe));
  const [, bound] = /^\s+bind :(\d+)$/m.exec(haproxy)!;
  assert.deepEqual(services.haproxy!.ports, [`${bound}:${bound}`]);
  const nginx = await read("deploy/nginx.conf");
  const settings = (text: string) => text.replaceAll(/#.*$/gm, "");
  for (const text of [haproxy, nginx]) {
    assert.doesNotMatch(settings(text), /balance source|ip_hash|\bhash\b|sticky|stick-table/);
  }
  const { length: open } = nginx.match(/\{/g)!;
  assert.equal(nginx.match(/\}/g)!.length, open);
  for (
    const needed of [
      "proxy_http_version 1.1",
      "proxy_set_header Upgrade $http_upgrade",
      "client_max_body_size 0",
    ]
  ) {
    assert.ok(settings(nginx).includes(`${needed};`), needed);
  }
  // The proxy's timeout is longer than the silence after which the control plane or the agent closes the
  // connection.
  for (const seconds of nginx.matchAll(/proxy_(?:read|send)_timeout (\d+)s;/g)) {
    assert.ok(Number(seconds[1]) > 60);
  }
  for (const seconds of haproxy.matchAll(/timeout (?:client|server) (\d+)s/g)) {
    assert.ok(Number(seconds[1]) > 60);
  }
});
