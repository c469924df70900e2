import assert from "node:assert/strict";
import { planExclusions, quotePattern } from "./exclusions.ts";

const request = (changes: Partial<Parameters<typeof planExclusions>[0]>) => ({
  sourcePath: "/usr",
  patterns: [],
  ownDirectories: [],
  objectPrefix: "backup_7",
  ...changes,
});

Deno.test("an absolute pattern is anchored at the source's root, a relative one matches anywhere", async () => {
  const plan = await planExclusions(request({ patterns: ["/usr/share/doc/", "*.pyc"] }));
  assert.deepEqual(plan.arguments, [
    "--anchored",
    "--wildcards",
    "--exclude=./share/doc",
    "--no-anchored",
    "--wildcards",
    "--exclude=*.pyc",
  ]);
});

Deno.test("below the file system's root too", async () => {
  const plan = await planExclusions(
    request({ sourcePath: "/", patterns: ["/var/cache"], ownDirectories: ["/opt/backups"] }),
  );
  assert.ok(plan.arguments.includes("--exclude=./var/cache"));
  assert.ok(plan.arguments.includes("--exclude=./opt/backups"));
});

Deno.test("directories elsewhere are no concern of tar's", async () => {
  assert.deepEqual(await planExclusions(request({ ownDirectories: ["/usrlocal", "/var/backups"] })), {
    arguments: [],
    notes: [],
  });
});

Deno.test("a destination below a file is left for the destination to refuse", async () => {
  const plan = await planExclusions(request({ ownDirectories: ["/etc/passwd/backups/here"] }));
  assert.deepEqual(plan, { arguments: [], notes: [] });
});

Deno.test("an empty pattern is refused", async () => {
  for (const pattern of ["", "a\0b"]) {
    await assert.rejects(planExclusions(request({ patterns: [pattern] })), /it is not a pattern/);
  }
});

Deno.test("a name with wildcards is matched as it is", () => {
  assert.equal(quotePattern("a*b?[c]\\"), "a\\*b\\?\\[c\\]\\\\");
});
