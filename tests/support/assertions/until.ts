/** Polls until a condition holds. Fails if it does not hold in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 30_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error("Cannot go on: the awaited condition did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
