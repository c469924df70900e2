/** Waits for the stages of one pipeline: programs, their input, and parsers that depend on each other. */
import type { Children } from "./children.ts";

/**
 * Waits until all stages have ended. When one fails, ends `programs`, so that no other stage keeps waiting.
 * Rejects with the reason of the first failure.
 */
export async function finishStages(programs: Children, stages: readonly Promise<unknown>[]): Promise<void> {
  const failures: { error: unknown }[] = [];
  await Promise.all(stages.map(async (stage) => {
    try {
      await stage;
    } catch (error) {
      if (failures.push({ error }) === 1) programs.stop();
    }
  }));
  if (failures.length > 0) throw failures[0]!.error;
}
