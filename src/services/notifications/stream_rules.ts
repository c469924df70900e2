/** Refuses settings of notification streams that contradict each other. */
import { InvalidError } from "../../domain/errors.ts";
import type { QuietHours } from "../../domain/notifications/quiet_hours.ts";
import { AddressRefusedError } from "../../network/network.ts";
import { channelOf, followsRuns, NOTIFICATION_STREAM_TYPES } from "../../notify/channels/registry.ts";
import { signingSecretProblem } from "../../notify/signature.ts";
import type { NotificationStreamRow } from "../../store/notifications/notification_streams.ts";
import type { ServiceContext } from "../context.ts";

/** Throws an `InvalidError` if summaries are requested for a stream that follows runs. */
export function refuseSummary({ summary, type }: Pick<NotificationStreamRow, "summary" | "type">): void {
  if (summary === "off" || !followsRuns(type)) return;
  throw new InvalidError({ summary: [`The summary field must be off for streams of the type ${type}.`] });
}

/** Throws an `InvalidError` if quiet hours lack a beginning or an end, or if both are the same time. */
export function refuseQuietHours(
  { quiet_from, quiet_to }: Pick<QuietHours, "quiet_from" | "quiet_to">,
): void {
  if ((quiet_from === null) !== (quiet_to === null)) {
    const missing = quiet_from === null ? "quiet_from" : "quiet_to";
    throw new InvalidError({
      [missing]: ["The quiet from and quiet to fields must be given together, or both be null."],
    });
  }
  if (quiet_from !== null && quiet_from === quiet_to) {
    throw new InvalidError({ quiet_to: ["The quiet to field must differ from quiet from."] });
  }
}

/** Throws an `InvalidError` if streams of this type have no signing secret, or if the secret is too weak. */
export function refuseSigningSecret(type: string, secret: string | null): void {
  if (secret === null) return;
  const signed = NOTIFICATION_STREAM_TYPES.filter((each) => channelOf(each).isSigned === true);
  const problem = channelOf(type).isSigned === true
    ? signingSecretProblem(secret)
    : `is for streams of the type ${signed.join(" or ")} only`;
  if (problem !== null) throw new InvalidError({ signing_secret: [`The signing secret field ${problem}.`] });
}

/**
 * Throws an `InvalidError` if the control plane must not connect to the address. Does not look up host names,
 * because the addresses of a host can change. These addresses are checked at each connection.
 */
export function refuseAddress({ network }: ServiceContext, type: string, value: string): void {
  const address = channelOf(type).urlOf?.(value) ?? null;
  if (address === null) return;
  try {
    network.check(address);
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) throw error;
    throw new InvalidError({ value: [`${error.message}.`] });
  }
}
