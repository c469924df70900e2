/** The entries about scripts in a run's journal. */
import * as z from "zod";
import { Verdict } from "../src/protocol/wire_messages.ts";
import { type ScriptJournal, ScriptPlan } from "./engine/scripts/script_plan.ts";

export const ScriptEntry = z.union([
  /** The plan of the run's scripts. Recorded before the first script begins. */
  z.object({ scripts: ScriptPlan }),
  /** The verdict on the backup. Recorded when the backup has ended, before the next script begins. */
  z.object({ decided: Verdict }),
  /** The script at this position of the run's plan has ended. `problem` is null if the script succeeded. */
  z.object({ script: z.number().int().nonnegative(), problem: z.string().nullable() }),
]);
export type ScriptEntry = z.infer<typeof ScriptEntry>;

export class ScriptRecord implements ScriptJournal {
  plan: ScriptPlan | null = null;
  /** The verdict on the backup; null until the backup has ended. */
  verdict: Verdict | null = null;
  /**
   * Problems of the scripts that have ended. The key is the script's position in `plan`. The value is null if
   * the script succeeded.
   */
  readonly problems = new Map<number, string | null>();

  /** @param write Writes an entry to the journal. Resolves when the entry is flushed to the disk. */
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

  /** Applies an entry that was read from the journal. */
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
