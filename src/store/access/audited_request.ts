/**
 * The audit entry of the current request. The transaction that makes the request's change also adds the
 * entry. So every change has an entry, and no entry describes a change that was rolled back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AuditActor, AuditEntry } from "../../domain/audit.ts";
import { insertAuditEntry } from "./audit_log.ts";
import type { Sql } from "../database/sql.ts";

export class AuditedRequest {
  #entry: Omit<AuditEntry, "result" | "reason">;
  readonly #now: () => Date;
  /**
   * `open`: the entry is not added yet. `claimed`: a transaction adds the entry and has not ended yet.
   * `entered`: the entry is added.
   */
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

  /** Prevents later transactions from adding the entry, because the caller adds it. */
  settle(): void {
    this.#state = "entered";
  }

  add(
    known: Partial<Pick<AuditEntry, "actor" | "workspaceId" | "resource" | "resourceId" | "fields">>,
  ): void {
    this.#entry = { ...this.#entry, ...known };
  }

  /**
   * Runs `work` in a transaction. The last statement of the transaction adds the request's audit entry. Adds
   * no entry if the transaction changed nothing, or if another transaction adds the entry.
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

/** Runs `work` as a part of the request: transactions that `work` begins add the request's audit entry. */
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
