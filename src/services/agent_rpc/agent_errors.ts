/** Separates errors that are reported to an agent from faults of the control plane. */
import { DomainError, UnavailableError } from "../../domain/errors.ts";
import { SecretError } from "../../secrets/keyring.ts";
import { StorageError } from "../../storage/storage_error.ts";

/**
 * Returns the error to send to an agent. Returns null for a fault of the control plane, because such a fault
 * is only logged.
 */
export function toAgentError(error: unknown): { message: string; retryable: boolean } | null {
  if (error instanceof StorageError) return { message: error.message, retryable: error.retryable };
  if (error instanceof SecretError) return { message: error.message, retryable: false };
  if (error instanceof DomainError) {
    return { message: error.message, retryable: error instanceof UnavailableError };
  }
  return null;
}
