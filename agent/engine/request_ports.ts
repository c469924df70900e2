/** The environment of a request that uses the engine's parts, although it belongs to no run. */
import type { Clock } from "../../src/domain/clock.ts";
import { type Downloads, type Output, RunFailedError, type RunPorts } from "./ports.ts";

export interface RequestEnvironment {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** An empty private directory (0700). The caller removes it. */
  readonly workDirectory: string;
}

/** Takes the warnings of a request. Other lines are dropped. */
export class Warnings implements Output {
  readonly texts: string[] = [];

  line(): void {}

  warning(text: string): void {
    this.texts.push(text);
  }
}

/**
 * Returns ports for a request. A request creates nothing outside of its work directory, so the functions that
 * create objects reject.
 */
export function requestPorts(
  { clock, signal, workDirectory }: RequestEnvironment,
  output: Output,
  downloads: Downloads | null = null,
): RunPorts {
  const refuse = () => Promise.reject(new RunFailedError("Cannot do this: a request changes nothing"));
  return {
    clock,
    output,
    signal,
    workDirectory,
    progress: () => {},
    opening: refuse,
    scratch: refuse,
    uploads: { open: refuse, sign: refuse, complete: refuse, abort: refuse },
    downloads: downloads ?? { sign: refuse },
    relay: { get: refuse },
    exported: () => {
      throw new RunFailedError("Cannot do this: a request exports nothing");
    },
  };
}
