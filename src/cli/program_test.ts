import assert from "node:assert/strict";
import { RELEASE } from "../domain/release.ts";
import { CliHome } from "../../tests/support/clients/cli.ts";
import { shell } from "../../tests/support/fixtures/backup_run.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

Deno.test("help lists the commands and the exit codes; errors are printed in one line", async () => {
  await using home = await CliHome.open();
  const { code, stdout, stderr } = await home.run(["--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  for (
    const name of ["login", "tasks", "logs", "backups", "servers", "destinations", "streams", "completion"]
  ) {
    assert.match(stdout, new RegExp(`^  ${name}\\b`, "m"));
  }
  assert.match(stdout, /^ {2}7 {2}the control plane rejected invalid fields$/m);
  const wrong = await home.run(["tasks", "list", "--pages", "2"]);
  assert.deepEqual(wrong, {
    code: 2,
    stdout: "",
    stderr: "Cannot understand the command: unknown option '--pages' (Did you mean --page?); see --help\n",
  });
  assert.equal((await home.run([])).code, 2);
});

Deno.test("every program prints its version", async () => {
  for (
    const [program, name] of [
      ["src/cli/main.ts", "rearguard"],
      ["src/admin/main.ts", "rearguard"],
      ["src/cli/demo.ts", "rearguard"],
      ["main.ts", "rearguard"],
      ["agent/main.ts", "rearguard-agent"],
    ] as const
  ) {
    const args = [
      "run",
      "--no-prompt",
      "--allow-env",
      "--allow-read",
      "--allow-sys",
      `${ROOT}${program}`,
      "--version",
    ];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const text = new TextDecoder();
    assert.deepEqual([code, text.decode(stdout)], [0, `${name} ${RELEASE}\n`], text.decode(stderr));
  }
});

Deno.test("as a task it finds files in the caller's directory, and returns its exit code", async () => {
  await using home = await CliHome.open();
  await Deno.writeTextFile(`${home.directory}/task.json`, "{");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "task",
      "--quiet",
      "--config",
      `${ROOT}deno.json`,
      "cli",
      "tasks",
      "create",
      "--from-file",
      "task.json",
    ],
    cwd: home.directory,
    // npx might have started the tests. npx sets INIT_CWD to the directory where it was started.
    env: {
      INIT_CWD: home.directory,
      REARGUARD_URL: "http://127.0.0.1:1",
      REARGUARD_API_TOKEN: "rg_test",
    },
    stdin: "null",
  }).output();
  const message = "Cannot read the backup task: task.json is not JSON\n";
  assert.deepEqual([code, new TextDecoder().decode(stderr)], [2, message]);
});

Deno.test("it ends quietly when its reader is gone", async () => {
  await using home = await CliHome.open();
  const child = home.start(["logout"]);
  await child.stdout.cancel();
  const [{ code }, stderr] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assert.deepEqual([code, stderr], [141, ""]);
});

Deno.test("installed as a command it completes itself", async () => {
  await using home = await CliHome.open();
  const install = "--quiet --global --name rearguard --config deno.json " +
    "--no-prompt --allow-env --allow-net --allow-read --allow-write src/cli/main.ts";
  await shell(`cd "$1" && "$3" install --root "$2" ${install}`, ROOT, home.directory, Deno.execPath());
  // The function `_get_comp_words_by_ref` replaces the one of bash-completion. It sets variables to the typed
  // words.
  const completed = await shell(
    `PATH="$1/bin:$(dirname "$2"):$PATH"
    _get_comp_words_by_ref() { words=("\${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=\${words[cword]}; }
    compopt() { :; }
    source <(rearguard completion bash)
    complete_words() { COMP_WORDS=(rearguard "$@"); COMP_CWORD=$#; __rearguard_complete; echo "\${COMPREPLY[*]}"; }
    complete_words ta
    complete_words backups ""
    complete_words tasks run --fo
    complete_words tasks create --type ""`,
    home.directory,
    Deno.execPath(),
  );
  assert.deepEqual(completed.split("\n"), [
    "tasks tags",
    "list show files find restore verify drill delete undelete hold release clear-suspicion clear-damage download help",
    "--follow",
    "files database control_plane",
    "",
  ]);
  for (
    const [name, registers] of [["zsh", /^compdef _rearguard rearguard$/m], [
      "fish",
      /^complete -c rearguard /m,
    ]] as const
  ) {
    const { code, stdout } = await home.run(["completion", name]);
    assert.equal(code, 0);
    assert.match(stdout, registers);
  }
});
