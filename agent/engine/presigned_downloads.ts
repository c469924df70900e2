/**
 * Download URLs that the control plane sent along with a request. They are for work outside a run. A run does
 * not need them, because it can request URLs itself.
 */
import type { SignedObject } from "../../src/protocol/browsing.ts";
import { type Downloads, RunFailedError } from "./ports.ts";

export class PresignedDownloads implements Downloads {
  constructor(private readonly signed: readonly SignedObject[]) {}

  sign(name: string): Promise<{ url: string; expiresInMs: number }> {
    const signed = this.signed.find((each) => each.name === name);
    if (signed !== undefined) return Promise.resolve({ url: signed.url, expiresInMs: signed.expires_in_ms });
    return Promise.reject(new RunFailedError(`Cannot read ${name}: the control plane signed no URL for it`));
  }
}
