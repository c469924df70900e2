import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

Deno.test("a workspace is created and shared, and a token for it is made, used and revoked", async () => {
  await using plane = await startApi();
  await using home = await CliHome.open();
  const { url, token } = plane;
  await plane.services.database`update users set is_admin = true`;
  const as = (bearer: string) => async (...args: string[]) => {
    const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: bearer };
    const { code, stdout, stderr } = await home.run(args, { env });
    return code === 0 ? stdout : `${code}: ${stderr}`;
  };
  const run = as(token);
  const email = "grace@example.test";
  const user = await plane.api.create("/users", { name: "Grace", email });
  const created = await run("workspaces", "create", "--name", "Accounting");
  const id = /^Workspace (\d+) created: Accounting\n$/.exec(created)![1]!;
  assert.match(
    await run("workspaces", "list"),
    new RegExp(`^ *ID {2}Name +Your role +Members +Own\\n.*\\n *${id} {2}Accounting {2}manager +1\\n$`),
  );
  assert.equal(
    await run("workspaces", "add-member", id, "--email", email, "--role", "viewer"),
    `User ${user} added: ${email}, viewer\n`,
  );
  assert.equal(
    await run("workspaces", "set-role", id, `${user}`, "--role", "operator"),
    `User ${user} is operator now\n`,
  );
  assert.match(await run("workspaces", "members", id), new RegExp(`\\n +${user} {2}Grace .*operator\\n$`));
  assert.match(await run("workspaces", "list", "--all", "--search", "Gra"), /^ *ID .*\n.*Grace +1 +yes\n$/);
  assert.match(
    await run("workspaces", "set-role", id, `${user}`, "--role", "owner"),
    /^2: .*Allowed choices/,
  );
  assert.equal(await run("workspaces", "rename", id, "--name", "Books"), `Workspace ${id} renamed: Books\n`);
  assert.match(await run("workspaces", "show", id), /^Name +Books$/m);

  const abilities = ["--ability", "view-backup-tasks", "--ability", "manage-tokens"];
  const text = await run("tokens", "create", "--name", "Report", "--workspace", id, ...abilities);
  assert.match(text, /^rg_[\w-]{43}\n$/);
  const there = as(text.trim());
  assert.match(await there("workspaces", "list"), new RegExp(`^[^\\n]+\\n *${id} {2}Books[^\\n]*\\n$`));
  const listed = await there("tokens", "list");
  const tokenId = new RegExp(`^ *(\\d+) {2}Report +${id} +2 `, "m").exec(listed)![1]!;
  assert.equal(await run("tokens", "revoke", tokenId), `Token ${tokenId} revoked\n`);
  assert.match(await there("workspaces", "list"), /^4: /);

  assert.match(await run("audit", "--workspace", id, "--action", "createTag"), /^None\.\n$/);
  assert.equal(await run("workspaces", "remove-member", id, `${user}`), "Member successfully removed\n");
  assert.match(await run("workspaces", "leave", id), /^6: .*is the last manager of Books/);
  assert.equal(await run("workspaces", "delete", id), "Workspace successfully deleted\n");
});
