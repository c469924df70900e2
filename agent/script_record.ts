/** The part of a run's journal that is about its scripts. */
import * as z from "zod";
import { Verdict } from "../src/protocol/wire_messages.ts";
import { type ScriptJournal, ScriptPlan } from "./engine/scripts/script_plan.ts";

export const ScriptEntry = z.union([
  /** The run's scripts. The first one is about to begin. */
  z.object({ scripts: ScriptPlan }),
  /** The verdict as it was before the scripts that follow the backup. */
  z.object({ decided: Verdict }),
  /** The script at this position has ended; `problem` is null if it succeeded. */
  z.object({ script: z.number().int().nonnegative(), problem: z.string().nullable() }),
]);
export type ScriptEntry = z.infer<typeof ScriptEntry>;

export class ScriptRecord implements ScriptJournal {
  plan: ScriptPlan | null = null;
  /** Null until the backup has ended. */
  verdict: Verdict | null = null;
  /** Problems of the scripts that have ended, by position in the plan. */
  readonly problems = new Map<number, string | null>();

  /** @param write Writes an entry; resolves when it is flushed to the disk. */
  constructor(private readonly write: (entry: ScriptEntry) => Promise<void>) {}

  planned(plan: ScriptPlan): Promise<void> {
    return this.#record({ scripts: plan });
  }

  decided(verdict: Verdict): Promise<void> {
    return this.#record({ decided: verdict });
  }

  ended(index: number, problem: string | null): Promise<void> {
    return this.#record({ script: index, problem });
  }

  /** Takes an entry that was read from the journal. */
  restore(entry: ScriptEntry): void {
    if ("scripts" in entry) this.plan = entry.scripts;
    else if ("decided" in entry) this.verdict = entry.decided;
    else this.problems.set(entry.script, entry.problem);
  }

  async #record(entry: ScriptEntry): Promise<void> {
    await this.write(entry);
    this.restore(entry);
  }
}
