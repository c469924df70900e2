/**
 * The current request, as the audit log will record it. The transaction that makes the request's change also
 * adds the entry. So there is no change without its entry, and no entry of a change that was rolled back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AuditActor, AuditEntry } from "../../domain/audit.ts";
import { insertAuditEntry } from "./audit_log.ts";
import type { Sql } from "../database/sql.ts";

export class AuditedRequest {
  #entry: Omit<AuditEntry, "result" | "reason">;
  readonly #now: () => Date;
  /** `claimed`: a transaction that has not ended yet adds the entry. */
  #state: "open" | "claimed" | "entered" = "open";

  constructor(entry: Omit<AuditEntry, "result" | "reason">, now: () => Date) {
    this.#entry = entry;
    this.#now = now;
  }

  get isEntered(): boolean {
    return this.#state === "entered";
  }

  get entry(): Omit<AuditEntry, "result" | "reason"> {
    return this.#entry;
  }

  /** Declares the entry as added in another way: later transactions do not add it. */
  settle(): void {
    this.#state = "entered";
  }

  add(known: Partial<Pick<AuditEntry, "actor" | "resource" | "resourceId" | "fields">>): void {
    this.#entry = { ...this.#entry, ...known };
  }

  /**
   * Runs `work` in a transaction whose last statement adds the entry, unless the transaction changes nothing
   * or another one has added it.
   */
  async within<T>(
    begin: (work: (sql: Sql) => Promise<T>) => Promise<T>,
    work: (sql: Sql) => Promise<T>,
  ): Promise<T> {
    let enters = false;
    try {
      const result = await begin(async (sql) => {
        const result = await work(sql);
        if (this.#state === "open") {
          this.#state = "claimed";
          enters = true;
          const entry = { ...this.#entry, result: "done" as const, reason: null };
          if (!await insertAuditEntry(sql, entry, this.#now(), true)) {
            this.#state = "open";
            enters = false;
          }
        }
        return result;
      });
      if (enters) this.#state = "entered";
      return result;
    } catch (error) {
      if (enters) this.#state = "open";
      throw error;
    }
  }
}

const current = new AsyncLocalStorage<AuditedRequest>();

/** Makes every transaction that `work` begins belong to the request. */
export function withAuditedRequest<T>(request: AuditedRequest, work: () => Promise<T>): Promise<T> {
  return current.run(request, work);
}

export function auditedRequest(): AuditedRequest | undefined {
  return current.getStore();
}

/** Records the id of the record that the current request created. Does nothing outside a request. */
export function recordCreated(id: number): void {
  current.getStore()?.add({ resourceId: id });
}

/** Records the actor of the current request. Does nothing outside a request. */
export function recordActor(actor: AuditActor, resource: string, resourceId: number): void {
  current.getStore()?.add({ actor, resource, resourceId });
}
