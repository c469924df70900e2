/** The stages of one pipeline: programs, feeds and parsers that wait for each other. */
import type { Children } from "./children.ts";

/**
 * Waits for all stages. Once one fails, ends `programs`, on which the others depend: no stage waits for one
 * that has failed. Rejects with the reason of the first that failed.
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
