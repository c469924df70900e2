const SHORTEST_PAUSE = 5;
const LONGEST_PAUSE = 200;

/**
 * Waits until a condition holds, by polling. Fails if the condition does not hold within `timeoutMs`
 * milliseconds. Each pause takes at least three times as long as a check. So most processor time is left to
 * the work that the test waits for.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const started = performance.now();
    if (await condition()) return;
    const now = performance.now();
    if (now > end) throw new Error("Cannot go on: the awaited condition did not come");
    const pause = Math.min(Math.max(SHORTEST_PAUSE, 3 * (now - started)), LONGEST_PAUSE);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
