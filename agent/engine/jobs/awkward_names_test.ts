/**
 * Tests with file names that confuse other programs. Each file can be restored and downloaded by the path
 * that a listing shows for it.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../../src/domain/clock.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { verify, verifyJob } from "../../../tests/support/fixtures/verify_run.ts";
import { browseBackup } from "./browse.ts";
import { sendFromBackup } from "./send.ts";

/**
 * File names with brackets, punctuation, leading and trailing blanks, line ends, percent signs, accents,
 * backslashes and quotes.
 */
const NAMES = [
  "[.txt",
  "[].txt",
  "[abc].txt",
  "some[dir]/some[file]",
  "1_Text (Cover) [vocals]_(No Reverb).mp3",
  "!bang",
  "~tilde",
  "ends\n",
  "two\nlines",
  "-rf",
  "--help",
  "Cyberpunk 2077/Données",
  "100%20",
  "%2e%2e",
  "back\\slash",
  "\\303\\274",
  "*",
  "?",
  "{a,b}",
  " before",
  "after ",
  "\t",
  "'",
  '"',
  "$(id)",
  "`id`",
  "#",
  "&",
  "a -> b",
  "a link to b",
  ".hidden",
  "...",
  "e\u0301",
  "\u00e9",
  "\ufeffbom",
  "\u202egpj.exe",
]; // deno-fmt-ignore

Deno.test("every name is restored and downloaded by the path that a listing shows", async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  for (const [index, name] of NAMES.entries()) {
    const path = `${tree}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, `${index}`);
    // Every third file has a modification time before 1970.
    if (index % 3 === 0) await shell('touch -d @-1 -- "$1"', path);
  }
  const backup = await run.run({ type: "files", path: tree, excluded_paths: [], allow_unreadable: false });
  await verify(run, backup);
  const { backup: toRead } = verifyJob(run, backup, null);
  const { signal } = run.ports;
  const list = async (path: string): Promise<string[]> => {
    const request = { kind: "backup.browse" as const, backup: toRead, signed: [], path, offset: 0, limit: 1000 };
    const result = await browseBackup(request, systemClock, signal);
    assert(result.found);
    const inside = result.entries.map(({ type, path }) => type === "directory" ? list(path) : [path]);
    return (await Promise.all(inside)).flat();
  };
  const listed = await list("");
  assert.deepEqual([...listed].sort(), [...NAMES].sort());
  for (const path of listed) {
    const expected = `${NAMES.indexOf(path)}`;
    let text = "";
    const what = { type: "file" as const, path };
    const request = { kind: "backup.send" as const, backup: toRead, signed: [], what, range: null, stream: "x" };
    await sendFromBackup(request, async ({ bytes }) => {
      for await (const piece of bytes()) text += new TextDecoder().decode(piece);
    }, systemClock, signal);
    assert.equal(text, expected, JSON.stringify(path));
    const target = await Deno.makeTempDir({ dir: run.root });
    await restore(run, backup, { target: { path: target, paths: [path], overwrite: true } });
    assert.equal(await Deno.readTextFile(`${target}/${path}`), expected);
    // No other file was restored.
    assert.equal((await shell('find "$1" -type f -printf x', target)).length, 1, JSON.stringify(path));
  }
});
