/**
 * Runs benchmarks: `deno task bench [name …]`. Each benchmark measures Rearguard and another program in the
 * same run. Machines differ and are shared, so ratios are more meaningful than times. A benchmark is not a
 * test.
 */
import { missingPrograms } from "./programs.ts";
import { print, printTable, type Result } from "./result.ts";

const BENCHES: Record<string, { programs: string[]; run: () => Promise<Result[]> }> = {
  http: { programs: ["wrk"], run: async () => (await import("./http.ts")).benchHttp() },
  latency: { programs: ["tar", "pzstd"], run: async () => (await import("./latency.ts")).benchLatency() },
  ingest: { programs: [], run: async () => (await import("./ingest.ts")).benchIngest() },
  files: { programs: ["tar", "zstd", "pzstd"], run: async () => (await import("./files.ts")).benchFiles() },
  encryption: { programs: [], run: async () => (await import("./encryption.ts")).benchEncryption() },
  restore: {
    programs: ["tar", "zstd", "pzstd"],
    run: async () => (await import("./restore.ts")).benchRestore(),
  },
  "one-file": {
    programs: ["tar", "pzstd"],
    run: async () => (await import("./restore.ts")).benchOneFile(),
  },
  verify: {
    programs: ["tar", "pzstd", "sha256sum"],
    run: async () => (await import("./verify.ts")).benchVerify(),
  },
  index: {
    programs: ["tar", "zstd", "pzstd"],
    run: async () => (await import("./member_index.ts")).benchMemberIndex(),
  },
  "quick-runs": {
    programs: ["tar", "zstd", "pzstd"],
    run: async () => (await import("./quick_runs.ts")).benchQuickRuns(),
  },
  "find-file": {
    programs: ["tar", "zstd", "pzstd", "grep"],
    run: async () => (await import("./find_file.ts")).benchFindFile(),
  },
  s3: { programs: ["tar", "pzstd", "rclone"], run: async () => (await import("./s3.ts")).benchS3() },
  pages: { programs: [], run: async () => (await import("./scale/pages.ts")).benchPages() },
  live: { programs: [], run: async () => (await import("./scale/live.ts")).benchLive() },
  "record-signals": {
    programs: [],
    run: async () => (await import("./scale/record_signals.ts")).benchRecordSignals(),
  },
  "scale-agents": {
    programs: [],
    run: async () => (await import("./scale/agents.ts")).benchScaleAgents(),
  },
  "scale-runs": { programs: [], run: async () => (await import("./scale/runs.ts")).benchScaleRuns() },
  "scale-schedule": {
    programs: [],
    run: async () => (await import("./scale/schedule.ts")).benchScaleSchedule(),
  },
  "scale-listing": {
    programs: [],
    run: async () => (await import("./scale/listing.ts")).benchScaleListing(),
  },
  "scale-overview": {
    programs: [],
    run: async () => (await import("./scale/overview.ts")).benchScaleOverview(),
  },
};

const requested = Deno.args.length > 0 ? Deno.args : Object.keys(BENCHES);
const scale = Object.keys(BENCHES).filter((name) => name.startsWith("scale-"));
const names = requested.flatMap((name) => name === "scale" ? scale : [name]);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  print(`Cannot run ${unknown.join(", ")}: the benchmarks are ${Object.keys(BENCHES).join(", ")}, scale`);
  Deno.exit(2);
}
const missing = await missingPrograms(names.flatMap((name) => BENCHES[name]!.programs));
if (missing.length > 0) {
  print(`Cannot run: ${missing.join(", ")} missing. Install with: apt-get install ${missing.join(" ")}`);
  Deno.exit(2);
}
const results: Result[] = [];
for (const name of names) {
  print(`${name} …`);
  const found = await BENCHES[name]!.run();
  results.push(...found);
  // Prints each benchmark's table as soon as the benchmark ends. All benchmarks together take long and might
  // be interrupted.
  if (names.length > 1) printTable(found);
}
print("");
printTable(results);
Deno.exit(results.every((result) => result.holds) ? 0 : 1);
