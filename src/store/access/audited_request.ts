/**
 * The request under way, as the audit log will tell of it: entered by the transaction that makes its change,
 * so that there is no change without its entry and no entry of a change that was rolled back.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AuditActor, AuditEntry } from "../../domain/audit.ts";
import { insertAuditEntry } from "./audit_log.ts";
import type { Sql } from "../database/sql.ts";

export class AuditedRequest {
  #entry: Omit<AuditEntry, "result" | "reason">;
  readonly #now: () => Date;
  /** `claimed`: by a transaction that is not over. */
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

  /** It is entered otherwise: no transaction that comes later does it. */
  settle(): void {
    this.#state = "entered";
  }

  add(known: Partial<Pick<AuditEntry, "actor" | "resource" | "resourceId" | "fields">>): void {
    this.#entry = { ...this.#entry, ...known };
  }

  /**
   * Does `work` in a transaction, whose last statement enters the request, unless it changes nothing or one
   * did so before.
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

/** Whatever transaction `work` makes belongs to the request. */
export function auditing<T>(request: AuditedRequest, work: () => Promise<T>): Promise<T> {
  return current.run(request, work);
}

export function auditedRequest(): AuditedRequest | undefined {
  return current.getStore();
}

/** The record that the request under way has made. Says nothing outside of one. */
export function noteCreated(id: number): void {
  current.getStore()?.add({ resourceId: id });
}

/** Who the request under way has turned out to be of. Says nothing outside of one. */
export function noteActor(actor: AuditActor, resource: string, resourceId: number): void {
  current.getStore()?.add({ actor, resource, resourceId });
}
