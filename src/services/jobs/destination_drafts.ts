/**
 * Destinations that are checked before they are saved. Their settings and secrets travel as a transient
 * secret to the replica that has the agent's websocket.
 */
import type { Secrets } from "../../definitions/destinations/definition.ts";
import { destinationDirectory } from "../../definitions/destinations/location.ts";
import { definitionOf } from "../../definitions/destinations/registry.ts";
import type { TypedSettings } from "../../definitions/destinations/settings.ts";
import type { JobDestination } from "../../protocol/job.ts";
import type { Keyring } from "../../secrets/keyring.ts";
import { openedSecrets } from "./jobs.ts";

/** Largest draft, in bytes: the limit of transient secrets. */
export const MAX_DRAFT = 5000;

/** Returns the draft as text, with the decrypted secrets. */
export function draftText(
  { type, settings, secrets }: TypedSettings & { readonly secrets: Secrets },
  keyring: Keyring,
): string {
  return JSON.stringify({ type, settings, secrets: openedSecrets(secrets, keyring) });
}

/** Returns the destination that a draft's text describes, in the form in which a job contains it. */
export function jobDestinationOfDraft(text: string): JobDestination {
  const { type, settings, secrets } = JSON.parse(text) as TypedSettings & { secrets: Record<string, string> };
  const directory = destinationDirectory({ type, settings }, null);
  return definitionOf(type).job(settings, secrets, directory) as JobDestination;
}
