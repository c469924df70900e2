/** Looks at a server through the API, a control plane and an agent, before anything is backed up. */
import assert from "node:assert/strict";
import { shell } from "../support/fixtures/backup_run.ts";
import { stageTree } from "../support/fixtures/backed_up_tree.ts";
import { ApiCaller } from "../support/clients/client.ts";
import { CliHome } from "../support/clients/cli.ts";

Deno.test("a server's directories are listed with names of any bytes, and links are never followed", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane, tree } = await stageTree(stack);
  const { api, serverId } = plane;
  await shell(
    `cd "$1"; mkdir sub "$(printf 'dir\\300')"; echo inside > "$(printf 'dir\\300/in')"; printf 12345 > "$(printf 'new\\nline')"
     ln -s "$1/sub" link; ln -s nowhere broken; mkfifo fifo; touch -d 1970-01-01T00:16:40Z known; chmod 640 known`,
    tree,
  );
  const real = await Deno.realPath(tree);
  const files = (query: Record<string, string>) =>
    api.call("GET", `/remote-servers/${serverId}/files?${new URLSearchParams(query)}`);
  const { status, body } = await files({ path: `${real}//./` });
  assert.equal(status, 200, JSON.stringify(body));
  const shown = body.data.map(({ name, type, link_target }: Record<string, string>) =>
    [name, type, ...link_target === null ? [] : [link_target]].join(" ")
  );
  assert.deepEqual(shown, [
    "dir\\300 directory",
    "sub directory",
    "broken symlink nowhere",
    "fifo fifo",
    "known file",
    `link symlink ${tree}/sub`,
    "new\nline file",
  ]);
  assert.deepEqual([body.path, body.parent, body.is_truncated, body.meta.total], [
    real,
    real.slice(0, real.lastIndexOf("/")),
    false,
    7,
  ]);
  assert.deepEqual(body.data[4], {
    path: `${real}/known`,
    name: "known",
    type: "file",
    size: 0,
    mode: "0640",
    uid: Deno.uid(),
    gid: Deno.gid(),
    modified_at: "1970-01-01T00:16:40Z",
    link_target: null,
    is_readable: true,
  });
  const inside = await files({ path: body.data[0].path });
  assert.deepEqual(inside.body.data.map(({ path, size }: { path: string; size: number }) => [path, size]), [[
    `${real}/dir\\300/in`,
    7,
  ]]);
  const page = await files({ path: real, page: "2", per_page: "3", search: "N" });
  assert.deepEqual([page.body.data.map(({ name }: { name: string }) => name), page.body.meta.total], [
    ["new\nline"],
    4,
  ]);
  const refusals = {
    [`${real}/nowhere`]: /^The path does not exist on the server/,
    [`${real}/known`]: /^The path is not a directory\.$/,
    [`${real}/link`]: new RegExp(`^The path leads through a symbolic link\\. Its target is ${real}/sub\\.$`),
    "relative": /must be an absolute path/,
    [`${real}/..`]: /must not contain \.\./,
  };
  for (const [path, message] of Object.entries(refusals)) {
    const { status, body } = await files({ path });
    assert.equal(status, 422, path);
    assert.deepEqual(Object.keys(body.errors), ["path"]);
    assert.match(body.errors.path[0], message);
  }
  await using home = await CliHome.open();
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const { stdout } = await home.run(["servers", "files", `${serverId}`, real, "--search", "sub"], { env });
  assert.match(stdout, new RegExp(`${real}/sub/\n$`));
});

Deno.test("a directory with very many entries is listed in part, and says so", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane: { api, serverId }, tree } = await stageTree(stack);
  await shell('cd "$1"; seq 1 10050 | xargs touch', tree);
  const path = encodeURIComponent(await Deno.realPath(tree));
  const { body } = await api.call("GET", `/remote-servers/${serverId}/files?path=${path}&per_page=1000`);
  assert.deepEqual([body.data.length, body.meta.total, body.is_truncated], [1000, 10_000, true]);
});

Deno.test("files are listed only with a connected agent, and only for callers who may make tasks", async () => {
  await using stack = new AsyncDisposableStack();
  const { plane: { api, serverId } } = await stageTree(stack);
  const offline = await api.create("/remote-servers", { label: "away", ip_address: "192.0.2.7" });
  const { status, body } = await api.call("GET", `/remote-servers/${offline}/files`);
  assert.equal(status, 409);
  assert.match(body.message, /^The agent of away is not connected\. Start it there/);
  assert.equal((await api.call("GET", "/remote-servers/99/files")).status, 404);
  const token = await api.call("POST", "/tokens", { name: "viewer", abilities: ["view-remote-servers"] });
  const viewer = new ApiCaller(api.url, token.body.data?.token ?? token.body.token);
  assert.equal((await viewer.call("GET", `/remote-servers/${serverId}/files`)).status, 403);
});
