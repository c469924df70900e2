/** Signed URLs that came with a request of the control plane: there is no run to ask for another. */
import type { SignedObject } from "../../src/protocol/browsing.ts";
import { type Downloads, RunFailedError } from "./ports.ts";

export class PresignedDownloads implements Downloads {
  constructor(private readonly signed: readonly SignedObject[]) {}

  sign(name: string): Promise<{ url: string; expiresInMs: number }> {
    const given = this.signed.find((each) => each.name === name);
    if (given !== undefined) return Promise.resolve({ url: given.url, expiresInMs: given.expires_in_ms });
    return Promise.reject(new RunFailedError(`Cannot read ${name}: the control plane signed no URL for it`));
  }
}
