/**
 * Watches the secret keys of a running control plane: applies changes of the key file, and reports keys that
 * no longer match the database.
 */
import type { Clock } from "../domain/clock.ts";
import { WakeSignal } from "../domain/wake_signal.ts";
import { keyId, type Keyring } from "../secrets/keyring.ts";
import type { EventBus } from "../store/database/event_bus.ts";
import { logger } from "../telemetry/logging.ts";
import { disagreeingReplica, type HeldKeys, type KeyCheck, missingKeys } from "./key_check.ts";
import { readSecretKeys } from "./secret_keys.ts";
import { StartError } from "./start_error.ts";

/** Interval between two reads of the key file, in milliseconds. A notification causes an earlier read. */
const SLOW_POLL = 5_000;
/**
 * Interval between two checks of the keys against the database, in milliseconds. The check is repeated
 * because an operator might restore an older state of the database. That state might need other keys.
 */
const DATABASE_POLL = 5 * 60_000;

export interface KeyWatch {
  /** Path of the key file. Null if the keys come from the environment, which does not change. */
  readonly path: string | null;
  readonly keyring: Keyring;
  readonly bus: EventBus;
  readonly check: KeyCheck;
  readonly clock: Clock;
  /** Called after each change of the keyring. */
  changed(): Promise<void>;
  /**
   * Called after each check of the database. `problem` says what is wrong with the keys; null if nothing is.
   */
  report(problem: string | null): void;
}

/**
 * Returns a function for {@link KeyWatch.report}. The function reports a problem as part of this process's
 * health, and logs the problem once.
 */
export function reportKeys(
  health: { report(part: string, problem: string | null): boolean },
): KeyWatch["report"] {
  return (problem) => {
    const sentence = problem && `Secrets can't be opened: ${problem}.`;
    if (health.report("secret keys", sentence) && sentence) log().error(sentence);
  };
}

/**
 * Watches the keys until the result is disposed. Ignores a key file that cannot be read, or whose keys do not
 * match the database.
 */
export function watchKeys(watch: KeyWatch): AsyncDisposable {
  const over = new AbortController();
  const woken = new WakeSignal(watch.clock);
  let checkedAt = watch.clock.monotonic(); // the start has just checked the keys
  const unsubscribe = watch.bus.subscribe(({ topic }) => {
    if (topic !== "keys_changed" && topic !== "reconnected") return;
    // The connection might now lead to another server with another database, so check the keys at once.
    if (topic === "reconnected") checkedAt = -Infinity;
    woken.wake();
  });
  const file = new WatchedFile(watch);
  const look = async () => {
    await file.look();
    const now = watch.clock.monotonic();
    if (now - checkedAt < DATABASE_POLL) return;
    // If a key is missing or the check fails, the next check follows after `SLOW_POLL`.
    const isWhole = await checkDatabase(watch).catch((error) => {
      log().debug("Cannot compare the secret keys with the database: {error}", { error });
      return false;
    });
    checkedAt = isWhole ? now : -Infinity;
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      woken.reset();
      await look();
      await woken.wait(SLOW_POLL, over.signal);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      unsubscribe();
      await watching;
    },
  };
}

/** Reports missing keys. Returns whether the keyring has every key that the database needs. */
async function checkDatabase({ keyring, check, report }: KeyWatch): Promise<boolean> {
  const problem = await missingKeys(check.database, keyring, check.lostKeyIds);
  report(problem);
  return problem === null;
}

class WatchedFile {
  #lastError = "";
  constructor(private readonly watch: KeyWatch) {}

  async look(): Promise<void> {
    const { path, keyring, changed } = this.watch;
    if (path === null) return;
    try {
      const keys = await readSecretKeys(path);
      if (keys === null) throw new StartError(`${path} is gone`);
      const found = { keyIds: keys.map(keyId), location: path };
      if (found.keyIds.join() !== keyring.keyIds.join()) {
        await this.#requireFitting(found);
        keyring.use(keys);
        log().info("The secret keys are now {ids}", { ids: keyring.keyIds.join(", ") });
        await changed();
      }
      this.#lastError = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#lastError) {
        log().error("Cannot take the secret keys anew, the ones from before stay in use: {message}", {
          message,
        });
      }
      this.#lastError = message;
    }
  }

  /**
   * Throws if the database needs keys that are not in the file. Also throws if the file's keys do not suit
   * another control plane: each control plane must be able to decrypt what the other one encrypts.
   */
  async #requireFitting(found: HeldKeys): Promise<void> {
    const { check } = this.watch;
    const problem = await missingKeys(check.database, found, check.lostKeyIds) ??
      await disagreeingReplica(check, found);
    if (problem !== null) throw new StartError(problem);
  }
}

const log = () => logger("secrets");
