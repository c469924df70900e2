/** Waits for a stop signal from an operator, a service manager or a terminal. */
import { readProcNow } from "../store/embedded/proc_file.ts";

/**
 * Resolves with the first SIGINT, SIGTERM or SIGHUP. Later signals have no effect.
 *
 * Also keeps the process alive until `Deno.exit`. Otherwise, the process could end while its start or stop is
 * still waiting for something.
 *
 * If the process ignores SIGHUP from its start, it keeps ignoring SIGHUP. `nohup` starts a program in this
 * way, so that the program outlives its terminal.
 */
export function stopSignal(): Promise<Deno.Signal> {
  return new Promise((resolve) => {
    setInterval(() => {}, 60_000);
    const signals: Deno.Signal[] = ["SIGINT", "SIGTERM"];
    if (!isHangupIgnored()) signals.push("SIGHUP");
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => resolve(signal));
    }
  });
}

function isHangupIgnored(): boolean {
  if (Deno.build.os !== "linux") return false;
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readProcNow(`/proc/${Deno.pid}/status`) ?? "")?.[1] ?? "0";
  return (Number.parseInt(mask.slice(-1), 16) & 1) === 1; // bit 0 stands for signal 1, SIGHUP
}
