/** Download URLs that came with the control plane's request, because only runs can request them. */
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
