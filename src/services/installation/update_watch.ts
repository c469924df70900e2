/** Tells administrators that a newer version of Rearguard exists. */
import { isOlderVersion, RELEASE } from "../../domain/release.ts";
import { limitedBytes } from "../../network/limited_bytes.ts";
import type { Network } from "../../network/network.ts";
import { listAdministrators } from "../../store/access/users.ts";
import { transaction } from "../../store/database/database.ts";
import { claimUpdateCheck } from "../../store/installation/update_checks.ts";
import { openSubjects } from "../../store/runs/run_watch.ts";
import { logger } from "../../telemetry/logging.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, raiseAlert } from "../notifications/alerts.ts";

const DAY = 24 * 3_600_000;
/** Time limit for all requests of one check, in milliseconds. */
const TIMEOUT = 5_000;
/** Maximum size of the document, in bytes. */
const DOCUMENT_LIMIT = 16_384;
/** A download of a release's newest file at GitHub takes two redirects. */
const REDIRECTS_LIMIT = 4;
const NOTES_LENGTH_LIMIT = 500;

const KIND = "release.available";

interface Release {
  /** Three numbers, such as `0.2.0`. */
  readonly version: string;
  /** The https URL of the release's notes. */
  readonly notesUrl: string;
}

/**
 * Reads the document at `url`, which names the newest version. If that version is newer than the running
 * one, raises an alert for every administrator. If the document can't be read, logs the reason, and tries
 * again a day later. All control planes together read the document at most once a day. Does nothing if `url`
 * is null.
 */
export async function watchUpdates(
  services: Pick<ServiceContext, "clock" | "database" | "network">,
  url: string | null,
  timeoutMs: number = TIMEOUT,
): Promise<void> {
  const { clock, database, network } = services;
  if (url === null || !await claimUpdateCheck(database, clock.now(), DAY)) return;
  const release = await readRelease(network, url, timeoutMs).catch((error: Error) => {
    // The URL might contain a secret, so only its host is logged.
    logger("updates").warn("Cannot read UPDATE_URL at {host}: {reason}. It will be read again in a day.", {
      host: new URL(url).host,
      reason: error.message,
    });
    return null;
  });
  if (release === null) return;
  const { notesUrl, version } = release;
  const isNewer = isOlderVersion(RELEASE, version);
  if (!isNewer) {
    logger("updates").info("UPDATE_URL names version {version}; this control plane has {own}", {
      version,
      own: RELEASE,
    });
  }
  await transaction(database, async (sql) => {
    for (const subject of await openSubjects(sql, KIND)) {
      const reported = subject.split(" ").at(-1)!;
      if (!isOlderVersion(RELEASE, reported)) await endAlert(services, sql, { kind: KIND, subject });
    }
    if (!isNewer) return;
    for (const { id, workspace_id } of await listAdministrators(sql)) {
      const subject = `user ${id} release ${version}`;
      await raiseAlert(services, sql, { kind: KIND, subject, isLevel: true }, {
        name: "update.available",
        userId: id,
        workspaceId: workspace_id,
        taskId: null,
        serverId: null,
        backupId: null,
        run: null,
        reason:
          `Version ${version} is available; this control plane has ${RELEASE}. What is new: ${notesUrl}`,
        recipients: { workspaceId: workspace_id, exceptStreamId: null },
        key: `${subject} update.available`,
      });
    }
  });
}

async function readRelease(network: Network, url: string, timeoutMs: number): Promise<Release> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    return parseRelease(await readDocument(network, url, signal));
  } catch (error) {
    throw signal.aborted ? new Error(`it did not answer within ${timeoutMs / 1000} s`) : error;
  }
}

/** Gets the document's text. Follows redirects, but not from https to http. */
async function readDocument(network: Network, url: string, signal: AbortSignal): Promise<string> {
  const headers = { "Accept": "application/json", "User-Agent": `Rearguard/${RELEASE}` };
  let target = new URL(url);
  for (let redirects = 0; redirects <= REDIRECTS_LIMIT; redirects++) {
    const response = await network.fetch(target.href, { headers, signal });
    if (response.ok) {
      return new TextDecoder().decode(await limitedBytes(response, DOCUMENT_LIMIT) ?? new Uint8Array());
    }
    await response.body?.cancel();
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) {
      throw new Error(`it answered ${response.status}`);
    }
    const next = URL.parse(location, target);
    if (next === null) throw new Error("it redirects to an invalid URL");
    if (target.protocol === "https:" && next.protocol !== "https:") {
      throw new Error("it redirects to an address without https");
    }
    target = next;
  }
  throw new Error(`it redirects more than ${REDIRECTS_LIMIT} times`);
}

/** Parses the document. Error messages do not quote the document, because it might contain anything. */
function parseRelease(text: string): Release {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Error("the answer is not JSON");
  }
  const { url, version } = (document ?? {}) as { url?: unknown; version?: unknown };
  const numbers = typeof version === "string" ? /^v?(\d{1,6}\.\d{1,6}\.\d{1,6})$/.exec(version)?.[1] : null;
  if (!numbers) throw new Error("the answer has no version of three numbers");
  const notes = typeof url === "string" ? URL.parse(url) : null;
  if (notes?.protocol !== "https:" || notes.href.length > NOTES_LENGTH_LIMIT) {
    throw new Error(`the answer has no https url of at most ${NOTES_LENGTH_LIMIT} characters`);
  }
  return { version: numbers, notesUrl: notes.href };
}
