/** What a task of deno.json grants its program: tests run it with these and no others. */
export function rightsOf(task: "start" | "admin"): string[] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  return /^deno run (.*?) \S+\.ts\b/.exec(tasks[task])![1]!.split(" ");
}
