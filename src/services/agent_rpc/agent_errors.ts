/** Which errors are answers to the one who asked, and which are faults of ours. */
import { DomainError, UnavailableError } from "../../domain/errors.ts";
import { SecretError } from "../../secrets/keyring.ts";
import { StorageError } from "../../storage/storage_error.ts";

/** What to tell whoever asked; null for a fault, which is to be logged instead. */
export function agentErrorOf(error: unknown): { message: string; retryable: boolean } | null {
  if (error instanceof StorageError) return { message: error.message, retryable: error.retryable };
  if (error instanceof SecretError) return { message: error.message, retryable: false };
  if (error instanceof DomainError) {
    return { message: error.message, retryable: error instanceof UnavailableError };
  }
  return null;
}
