/**
 * Obstacles that prevent a restore. The restore itself and its preview make the same checks: the restore
 * fails at the first obstacle, the preview collects all of them.
 */
import type { Obstacle, PreviewedTarget } from "../../src/protocol/restore_preview.ts";
import type { Amounts } from "../../src/protocol/restore_report.ts";
import { RunFailedError } from "./ports.ts";

/** Receives the obstacles that the checks before a restore find. */
export interface Inspection {
  /** If true, the checks must not change anything. They must not even remove what killed runs left behind. */
  readonly isPreview: boolean;
  /**
   * Takes obstacles of one kind; the list might be empty. The inspection of a restore throws a
   * {@link RunFailedError} if there are any.
   *
   * @param many Words for a message about several obstacles. With `are there already`, the message begins
   *   with `a.txt and 2 more are there already`.
   */
  report(obstacles: readonly Obstacle[], many?: string): void;
}

/** Findings of the checks before a restore, besides obstacles. */
export interface PreviewedRestore {
  readonly targets: readonly PreviewedTarget[];
  readonly server: string | null;
  readonly requested: Amounts;
  /** Free space where the files are unpacked, in bytes; null if it is not known. */
  readonly freeBytes: number | null;
}

/** Amounts of which nothing is known. */
export const UNKNOWN_AMOUNTS: Amounts = {
  files_count: null,
  directories_count: null,
  bytes: null,
  databases_count: null,
  rows_count: null,
};

/** An obstacle that fails a restore. */
export class ObstacleError extends RunFailedError {
  constructor(readonly obstacle: Obstacle, options?: ErrorOptions) {
    super(sentence(obstacle, obstacle.problem), options);
  }
}

/** The inspection of a restore. */
export const refusing: Inspection = {
  isPreview: false,
  report([first, ...more], many) {
    if (first === undefined) return;
    if (more.length === 0 || many === undefined) throw new ObstacleError(first);
    throw new RunFailedError(sentence(first, `and ${more.length} more ${many}`));
  },
};

/** The inspection of a preview. */
export class CollectedObstacles implements Inspection {
  readonly isPreview = true;
  readonly all: Obstacle[] = [];

  report(obstacles: readonly Obstacle[]): void {
    for (const obstacle of obstacles) this.all.push(obstacle);
  }

  /** Adds the error that ended the checks as an obstacle. Throws an error that is not a `RunFailedError`. */
  end(error: unknown): void {
    if (!(error instanceof RunFailedError)) throw error;
    this.report([error instanceof ObstacleError ? error.obstacle : toObstacle(error.message)]);
  }
}

function sentence({ path, solution }: Obstacle, problem: string): string {
  return `${path === null ? "" : `${path} `}${problem}. ${solution}`.trimEnd();
}

/** Returns the obstacle that an error's message describes: its first sentence, and the advice after it. */
function toObstacle(message: string): Obstacle {
  const end = message.search(/\. [A-Z]/);
  if (end === -1) return { path: null, problem: message.replace(/\.$/, ""), solution: "" };
  const advice = message.slice(end + 2);
  return { path: null, problem: message.slice(0, end), solution: advice.replace(/(?<![.!?])$/, ".") };
}
