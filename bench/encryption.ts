/** Measures how fast archives are encrypted, and how much memory the encryption takes. */
import { median, type Result } from "./result.ts";

const ROUNDS = 3;
const BYTES = 1024 ** 3;
const FLAGS = "--v8-flags=--expose-gc,--max-semi-space-size=1,--single-threaded-gc";

export async function benchEncryption(): Promise<Result[]> {
  const seconds: number[] = [];
  let grown = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", FLAGS, new URL("encrypt_stream.ts", import.meta.url).pathname],
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("Cannot measure encryption: it failed");
    const output = JSON.parse(new TextDecoder().decode(stdout));
    seconds.push(output.seconds);
    grown = Math.max(grown, output.grown);
  }
  const rate = BYTES / 1e6 / median(seconds);
  return [{
    name: "Encryption of 1 GiB",
    ours: `${rate.toFixed(0)} MB/s`,
    peer: "—",
    ratio: `${(rate / 150).toFixed(2)} of the bar`,
    bar: "at least 150 MB/s",
    holds: rate >= 150,
  }, {
    name: "Memory that it takes meanwhile",
    ours: `${(grown / 1e6).toFixed(0)} MB more`,
    peer: "—",
    ratio: `${(grown / 32e6).toFixed(2)} of the bar`,
    bar: "at most 32 MB more",
    holds: grown <= 32e6,
  }];
}
