import assert from "node:assert/strict";
import { findStartedPath, interpreterOf } from "./script_files.ts";

Deno.test("the first line names the interpreter, as the kernel reads it", () => {
  const cases: [text: string, interpreter: string[]][] = [
    ["echo a\n", ["/bin/sh"]],
    ["#!/bin/bash\necho a", ["/bin/bash"]],
    ["#!/bin/bash", ["/bin/bash"]],
    ["#! /usr/bin/env -S bash -e  \n", ["/usr/bin/env", "-S bash -e"]],
    ["#!\t/usr/bin/python3\t-I\n#!/bin/sh\n", ["/usr/bin/python3", "-I"]],
    ["#!\n/bin/bash\n", ["/bin/sh"]],
    [" #!/bin/bash\n", ["/bin/sh"]],
    ["# comment\n", ["/bin/sh"]],
  ];
  for (const [text, interpreter] of cases) assert.deepEqual(interpreterOf(text), interpreter, text);
});

Deno.test("of a directory that is missing no script counts as started", async () => {
  assert.equal(await findStartedPath("/nonexistent/scripts", 0), null);
});
