/** Secret keys of a control plane at work: a changed key file is taken over, keys that stop fitting the database are told. */
import type { Clock } from "../domain/clock.ts";
import { keyId, type Keyring } from "../secrets/keyring.ts";
import type { Bus } from "../store/notifications.ts";
import { logger } from "../telemetry/logging.ts";
import { disagreeingReplica, type HeldKeys, type KeyCheck, missingKeys } from "./key_check.ts";
import { readSecretKeys } from "./secret_keys.ts";
import { StartError } from "./start_error.ts";

/** Makes up for a notification that got lost. Milliseconds. */
const SLOW_POLL = 5_000;
/** Between two looks at which keys seal what is in the database: it may have been restored from elsewhere. Milliseconds. */
const DATABASE_POLL = 5 * 60_000;

export interface KeyWatch {
  /** Null: the keys come from the environment and stay as they are. */
  readonly path: string | null;
  readonly keyring: Keyring;
  readonly bus: Bus;
  readonly check: KeyCheck;
  readonly clock: Clock;
  /** Called after each change of the keyring. */
  changed(): Promise<void>;
  /** Called with what is wrong with the keys, or null, whenever that was found out anew. */
  report(problem: string | null): void;
}

/** Works until it is disposed of. A file that can't be read, or whose keys do not fit the database, changes nothing. */
export function watchKeys(watch: KeyWatch): AsyncDisposable {
  const over = new AbortController();
  let wake = () => {};
  let checkedAt = watch.clock.monotonic(); // by the start
  const unsubscribe = watch.bus.subscribe(({ topic }) => {
    if (topic !== "keys_changed" && topic !== "reconnected") return;
    // The server may be another one now, with another database.
    if (topic === "reconnected") checkedAt = -Infinity;
    wake();
  });
  const file = new FollowedFile(watch);
  const look = async () => {
    await file.look();
    const now = watch.clock.monotonic();
    if (now - checkedAt < DATABASE_POLL) return;
    // Where a key is missing, or the database does not answer, it is looked at again soon.
    const isWhole = await lookAtDatabase(watch).catch((error) => {
      log().debug("Cannot compare the secret keys with the database: {error}", { error });
      return false;
    });
    checkedAt = isWhole ? now : -Infinity;
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      const woken = new Promise<void>((resolve) => wake = resolve);
      await look();
      const pause = new AbortController();
      const either = AbortSignal.any([pause.signal, over.signal]);
      await Promise.race([woken, watch.clock.sleep(SLOW_POLL, either).catch(() => {})]);
      pause.abort();
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over.abort();
      unsubscribe();
      wake();
      await watching;
    },
  };
}

/** Returns whether every sealed value can be opened. */
async function lookAtDatabase({ keyring, check, report }: KeyWatch): Promise<boolean> {
  const problem = await missingKeys(check.database, keyring, check.lostKeyIds);
  report(problem);
  return problem === null;
}

class FollowedFile {
  #complaint = "";
  constructor(private readonly watch: KeyWatch) {}

  async look(): Promise<void> {
    const { path, keyring, changed } = this.watch;
    if (path === null) return;
    try {
      const keys = await readSecretKeys(path);
      if (keys === null) throw new StartError(`${path} is gone`);
      const found = { keyIds: keys.map(keyId), place: path };
      if (found.keyIds.join() !== keyring.keyIds.join()) {
        await this.#requireFitting(found);
        keyring.use(keys);
        log().info("The secret keys are now {ids}", { ids: keyring.keyIds.join(", ") });
        await changed();
      }
      this.#complaint = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#complaint) {
        log().error("Cannot take the secret keys anew, the ones from before stay in use: {message}", {
          message,
        });
      }
      this.#complaint = message;
    }
  }

  /** Keys that others lack must wait: what they seal could be opened by this control plane alone. */
  async #requireFitting(found: HeldKeys): Promise<void> {
    const { check } = this.watch;
    const problem = await missingKeys(check.database, found, check.lostKeyIds) ??
      await disagreeingReplica(check, found);
    if (problem !== null) throw new StartError(problem);
  }
}

const log = () => logger("secrets");
