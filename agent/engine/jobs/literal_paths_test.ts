/**
 * Tests that paths are taken literally, whatever characters they contain. Each test also creates the
 * directories that an altered form of the path would name.
 */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { LocalDestination } from "../destinations/local/local.ts";

const ODD = [
  ...[
    "data ",
    " data",
    "data\n",
    "\ndata",
    "\tdata",
    "da\nta",
    "data\u00a0",
    "\u3000data",
    "data\ufeff",
    "\ufeffdata",
    "data\u2028",
  ],
  ...[
    "data\r",
    "data\\",
    "data\\n",
    "da\u0000ta".replace("\0", "\x01"),
    "data.",
    "'data'",
    "$data",
    "`data`",
    "%data%",
    "~",
    "-data",
    "..data",
  ],
  ...[
    "da\u0301ta",
    "d\u00e1ta",
    "data\u200b",
    "DATA",
    "*",
    "[data]",
    "{data,}",
    "da:ta",
    "da;ta",
    "#data",
    "!data",
    "data=1",
  ],
];

for (const name of ODD) {
  Deno.test(`source, exclusion, target and destination called ${JSON.stringify(name)} are exactly these paths`, async () => {
    await using run = await BackupRun.open();
    const at = `${run.root}/at`;
    // Altered forms of the path: trimmed, unescaped, normalised or in lower case.
    const near = new Set(
      [
        "data",
        name.trim(),
        name.normalize("NFC"),
        name.normalize("NFD"),
        name.toLowerCase(),
        name.replace(/\\n?/, "\n"),
        name.slice(1),
        name.slice(0, -1),
      ],
    );
    near.delete(name);
    for (const other of near) {
      if (other === "" || other === "." || other === "..") continue;
      await Deno.mkdir(`${at}/${other}`, { recursive: true });
      await Deno.writeTextFile(`${at}/${other}/neighbour`, other);
    }
    await Deno.mkdir(`${at}/${name}/${name}`, { recursive: true });
    await Deno.writeTextFile(`${at}/${name}/mine`, "mine");
    await Deno.writeTextFile(`${at}/${name}/${name}/left`, "left");
    const before = await shell('cd "$1"; find . | LC_ALL=C sort', at);
    const directory = `${run.root}/to/${name}`;
    await Deno.mkdir(`${run.root}/to/data`, { recursive: true });
    const backup = await run.run(
      {
        type: "files",
        path: `${at}/${name}`,
        excluded_paths: [`${at}/${name}/${name}`],
        allow_unreadable: false,
      },
      { destination: { type: "local", directory } },
    );
    assert.deepEqual([backup.files_count, run.warnings], [1, []]);
    assert.deepEqual([...Deno.readDirSync(`${run.root}/to/data`)], []);
    assert.equal([...Deno.readDirSync(directory)].length, 3);
    const destination = new LocalDestination({ type: "local", directory }, run.ports.signal);
    const target = `${run.root}/back/${name}`;
    await restore(run, backup, { target: { path: target }, destination });
    assert.deepEqual([...Deno.readDirSync(`${run.root}/back`)].map((entry) => entry.name), [name]);
    assert.equal(await Deno.readTextFile(`${target}/mine`), "mine");
    // Restore to the source's path, which is read from the manifest.
    await Deno.remove(`${at}/${name}/mine`);
    await restore(run, backup, { destination });
    assert.equal(await shell('cd "$1"; find . | LC_ALL=C sort', at), before);
  });
}

Deno.test("half a surrogate pair is no path", async () => {
  await using run = await BackupRun.open();
  await Deno.mkdir(`${run.root}/a\ufffd`);
  await Deno.writeTextFile(`${run.root}/a\ufffd/x`, "x");
  const source = {
    type: "files" as const,
    path: `${run.root}/a\ud800`,
    excluded_paths: [],
    allow_unreadable: false,
  };
  await assert.rejects(run.run(source), /the source path is not Unicode text/);
  const backup = await run.run({ ...source, path: `${run.root}/a\ufffd` });
  await assert.rejects(
    restore(run, backup, { target: { path: `${run.root}/b\ud800` } }),
    /not an absolute path/,
  );
});
