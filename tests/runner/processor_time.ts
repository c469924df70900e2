/** Reads from /proc how much processor time a process has used. */

/** Number of clock ticks in a second, the unit of times in /proc. */
const TICKS = 100;

/**
 * Returns the processor time of a process and of its ended descendants, in seconds. Returns null if there is
 * no such process, or no /proc, as on macOS.
 */
export async function processorTime(pid: number | "self"): Promise<number | null> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses. The name can contain spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
    const [user, system, usersOfChildren, systemsOfChildren] = fields.slice(11, 15);
    return (user! + system! + usersOfChildren! + systemsOfChildren!) / TICKS;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
