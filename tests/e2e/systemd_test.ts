import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const UNITS = fileURLToPath(new URL("../../systemd", import.meta.url));
const OWN = ["rearguard.service", "rearguard-agent.service"];

async function analyze(args: string[]): Promise<{ code: number; text: string }> {
  const command = new Deno.Command("systemd-analyze", { args, env: { SYSTEMD_COLORS: "0" }, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function copyInto(root: string, path: string, text: string, mode: number): Promise<void> {
  await Deno.mkdir(join(root, dirname(path)), { recursive: true });
  await Deno.writeTextFile(join(root, path), text, { mode });
}

/**
 * Creates a tree with systemd's own units and Rearguard's. The tree has an executable file for every program
 * that Rearguard's units start.
 */
async function treeWithUnits(root: string): Promise<void> {
  const system = "usr/lib/systemd/system";
  await Deno.mkdir(join(root, system), { recursive: true });
  await Deno.symlink("usr/lib", join(root, "lib"));
  for await (const entry of Deno.readDir(`/${system}`)) {
    if (!entry.isFile) continue;
    await Deno.copyFile(`/${system}/${entry.name}`, join(root, system, entry.name));
  }
  for (const unit of OWN) {
    const text = await Deno.readTextFile(join(UNITS, unit));
    await copyInto(root, `etc/systemd/system/${unit}`, text, 0o644);
    await copyInto(root, /^ExecStart=(\S+)/m.exec(text)![1]!, "#!/bin/sh\n", 0o755);
  }
  // Adds the unit for several control planes on one machine: a copy of rearguard.service named
  // rearguard@.service, and the drop-in.
  const dropIn = "rearguard@.service.d/instance.conf";
  const text = await Deno.readTextFile(join(UNITS, "rearguard.service"));
  await copyInto(root, "etc/systemd/system/rearguard@.service", text, 0o644);
  await copyInto(root, `etc/systemd/system/${dropIn}`, await Deno.readTextFile(join(UNITS, dropIn)), 0o644);
}

Deno.test("the units are what systemd expects", async () => {
  const root = await Deno.makeTempDir({ prefix: "rearguard-units-" });
  try {
    await treeWithUnits(root);
    const units = [...OWN, "rearguard@8001.service"];
    assert.deepEqual(await analyze(["verify", `--root=${root}`, "--man=no", ...units]), {
      code: 0,
      text: "",
    });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("the units' exposure stays low", async () => {
  for (const unit of OWN) {
    const path = join(UNITS, unit);
    const { code, text } = await analyze([
      "security",
      "--offline=true",
      "--no-pager",
      "--threshold=50",
      path,
    ]);
    assert.equal(code, 0, text);
  }
});

Deno.test("the agent's unit says why it keeps each right that the control plane's gives up", async () => {
  const [control, agent] = await Promise.all(OWN.map((unit) => Deno.readTextFile(join(UNITS, unit))));
  const isSet = (text: string, name: string) => new RegExp(`^${name}=`, "m").test(text);
  for (const [, name] of control!.matchAll(/^((?:Protect|Private|Restrict)\w+)=/gm)) {
    if (isSet(agent!, name!) || ["PrivateUsers"].includes(name!)) continue;
    assert.match(
      agent!,
      new RegExp(`^#.*\\bno (?:\\w+, )*${name}\\b|^#.*\\b${name}\\b`, "m"),
      `${name} is not explained`,
    );
  }
  for (const [, names] of agent!.matchAll(/^CapabilityBoundingSet=(.*)$/gm)) {
    for (const name of names!.split(" ")) assert.match(agent!, new RegExp(`^#.*\\b${name}\\b`, "m"), name);
  }
});
