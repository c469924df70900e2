/**
 * Defines the five endpoints that every resource has: list, show, create, update and delete. Their responses
 * have the form of the original API contract. To add a resource:
 *
 * 1. In `routes/<resource>.ts`, write the resource's response schema (`.openapi("Name")`), one example, and a
 *    function `present` that converts a row to a response. Put the three into a {@link Resource}.
 * 2. Write the resource's input fields as one object of plain zod schemas (`line`, `text`, `secret`,
 *    `integer`, `id` of `src/definitions/formats`). If the command line has flags for the fields, define them
 *    once in `src/definitions/fields` instead. `z.object(fields)` is the schema for creating, and
 *    `z.object(fields).partial()` for updating. Do not use `.default()` on a field that is in both schemas:
 *    an update would overwrite the value. Defaults belong to the service. For rules over several fields, use
 *    `rule`.
 * 3. Export the list of the resource's endpoints. Make the five usual ones with the functions of this file,
 *    and pass each the service function that it calls. Make any other endpoint with `endpoint({…})`.
 * 4. Add the list to `routes.ts`.
 *
 * Values are converted before validation: `"5"` becomes 5, `"1"` becomes true, and `""` becomes null if null
 * is allowed. In prose (`line`, `text`), surrounding blanks are stripped. Other strings stay as they are.
 */
import { z } from "@hono/zod-openapi";
import type { PageWindow } from "../domain/page.ts";
import type { Caller, ServiceContext } from "../services/context.ts";
import { type Access, type Endpoint, endpoint } from "./endpoint.ts";
import { sortParameter } from "./input/list_filters.ts";
import { pageAnswer, PageLinks, PageMeta, PageQuery, windowOf } from "./input/pagination.ts";
import { isoTime, Time } from "./input/time.ts";

export interface Resource<Row, Shown> {
  /** The name in errors and messages: `Backup task`. */
  readonly name: string;
  /** The plural: `Backup tasks`. Also the name of the resource's group in the OpenAPI document. */
  readonly plural: string;
  /** The path of the collection: `/api/backup-tasks`. */
  readonly path: string;
  readonly schema: z.ZodType<Shown>;
  readonly example: NoInfer<Shown>;
  present(row: Row): NoInfer<Shown>;
}

interface WithBody<Row, Body extends z.ZodType> {
  access: Access;
  needsFreshLogin?: boolean;
  body: Body;
  /**
   * Returns sentences for the response's `warnings`. They name effects of the change that the caller might
   * not want.
   */
  warnings?(
    services: ServiceContext,
    row: Row,
    body: z.output<Body>,
  ): readonly string[] | Promise<readonly string[]>;
  example: z.input<Body>;
  description?: string;
  errors?: Record<number, string>;
}

export function listEndpoint<Row, Shown, Filters extends z.ZodRawShape = Record<never, never>>(
  resource: Resource<Row, Shown>,
  definition: {
    access: Access;
    description?: string;
    filters?: Filters;
    /** Fields that a client can sort the list by, in addition to `id` and `created_at`. */
    sorts?: readonly string[];
    list(
      services: ServiceContext,
      caller: Caller,
      window: PageWindow,
      filters: z.output<z.ZodObject<Filters>> & { sort?: string },
    ): Promise<{ rows: Row[]; total: number }>;
  },
): Endpoint {
  return endpoint({
    ...about(resource, definition),
    method: "get",
    path: resource.path,
    operationId: `list${identifier(resource.plural)}`,
    summary: `List ${lower(resource.plural)}`,
    query: PageQuery.extend({
      ...definition.filters,
      sort: sortParameter(["id", "created_at", ...definition.sorts ?? []]),
    }) as z.ZodObject,
    answer: {
      status: 200,
      description: "One page, oldest first unless sorted.",
      content: listContent(resource),
    },
    async handle({ services, caller, query, ...sent }) {
      const page = query as PageQuery & z.output<z.ZodObject<Filters>> & { sort?: string };
      const listed = await definition.list(services, caller, windowOf(page), page);
      return { status: 200, body: listBody(resource, listed, page, sent) };
    },
  });
}

export function createEndpoint<Row, Shown, Body extends z.ZodType>(
  resource: Resource<Row, Shown>,
  definition: WithBody<Row, Body> & {
    create(services: ServiceContext, caller: Caller, body: z.output<Body>): Promise<Row>;
  },
): Endpoint {
  return endpoint({
    ...about(resource, definition),
    method: "post",
    path: resource.path,
    operationId: `create${identifier(resource.name)}`,
    summary: `Create ${article(resource.name)}`,
    body: { schema: definition.body, example: definition.example },
    answer: { status: 201, description: `The new ${lower(resource.name)}.`, content: dataContent(resource) },
    async handle({ services, caller, body }) {
      const row = await definition.create(services, caller, body);
      const warnings = await definition.warnings?.(services, row, body) ?? [];
      return { status: 201, body: { data: resource.present(row), ...some(warnings) } };
    },
  });
}

export function showEndpoint<Row, Shown>(resource: Resource<Row, Shown>, definition: {
  access: Access;
  description?: string;
  show(services: ServiceContext, caller: Caller, id: number): Promise<Row>;
}): Endpoint {
  return endpoint({
    ...about(resource, definition),
    method: "get",
    path: `${resource.path}/{id}`,
    operationId: `show${identifier(resource.name)}`,
    summary: `Show ${article(resource.name)}`,
    ids: { id: resource.name },
    answer: { status: 200, description: `The ${lower(resource.name)}.`, content: dataContent(resource) },
    async handle({ services, caller, params }) {
      return {
        status: 200,
        body: { data: resource.present(await definition.show(services, caller, params.id)) },
      };
    },
  });
}

export function updateEndpoint<Row, Shown, Body extends z.ZodType>(
  resource: Resource<Row, Shown>,
  definition: WithBody<Row, Body> & {
    update(services: ServiceContext, caller: Caller, id: number, body: z.output<Body>): Promise<Row>;
  },
): Endpoint {
  return endpoint({
    ...about(resource, definition),
    method: "put",
    path: `${resource.path}/{id}`,
    operationId: `update${identifier(resource.name)}`,
    summary: `Update ${article(resource.name)}`,
    ids: { id: resource.name },
    body: { schema: definition.body, example: definition.example },
    answer: {
      status: 200,
      description: `The ${
        lower(resource.name)
      } after the change. Fields that were left out keep their value.`,
      content: dataContent(resource),
    },
    async handle({ services, caller, params, body }) {
      const row = await definition.update(services, caller, params.id, body);
      const warnings = await definition.warnings?.(services, row, body) ?? [];
      return { status: 200, body: { data: resource.present(row), ...some(warnings) } };
    },
  });
}

export function deleteEndpoint<Row, Shown, Query extends z.ZodObject = z.ZodObject<Record<never, never>>>(
  resource: Resource<Row, Shown>,
  definition: {
    access: Access;
    description?: string;
    errors?: Record<number, string>;
    query?: Query;
    needsFreshLogin?: boolean;
    /**
     * Whether a deletion might put the record into the trash. If it does, `remove` returns the time until
     * which the deletion can be undone.
     */
    isTrashed?: boolean;
    remove(
      services: ServiceContext,
      caller: Caller,
      id: number,
      query: z.output<Query>,
    ): Promise<{ deletes_at?: Date | null; warnings?: readonly string[] } | void>;
  },
): Endpoint {
  const message = `${resource.name} successfully deleted`;
  return endpoint({
    ...about(resource, definition),
    method: "delete",
    path: `${resource.path}/{id}`,
    operationId: `delete${identifier(resource.name)}`,
    summary: `Delete ${article(resource.name)}`,
    ids: { id: resource.name },
    query: definition.query,
    answer: definition.isTrashed === true
      ? {
        status: 200,
        description: "It is in the trash until `deletes_at`.",
        content: trashedContent(message),
      }
      : {
        status: 200,
        description: "It is gone.",
        content: messageContent(message),
      },
    async handle({ services, caller, params, query }) {
      const trashed = await definition.remove(services, caller, params.id, query);
      const deletesAt = trashed?.deletes_at ?? null;
      const until = deletesAt === null ? {} : { deletes_at: isoTime(deletesAt) };
      return { status: 200, body: { message, ...until, ...some(trashed?.warnings ?? []) } };
    },
  });
}

/** Describes the response `{ data }` of show, create and update. */
export function dataContent<Row, Shown>({ schema, example }: Resource<Row, Shown>) {
  return { type: "application/json", schema: z.object({ data: schema }), example: { data: example } };
}

/** Describes the response `{ message }` of delete and of actions. */
export function messageContent(message: string) {
  return { type: "application/json", schema: Message, example: { message } };
}

/** Returns the field `warnings` of the response; an object without fields if there are no warnings. */
function some(warnings: readonly string[]): { warnings?: readonly string[] } {
  return warnings.length === 0 ? {} : { warnings };
}

/** Describes the response `{ message, deletes_at }` of a deletion into the trash. */
function trashedContent(message: string) {
  const deletes_at = "2024-08-10T00:00:00Z";
  return { type: "application/json", schema: TrashedMessage, example: { message, deletes_at } };
}

const Message = z.object({ message: z.string() }).openapi("Message");
const TrashedMessage = z.object({
  message: z.string(),
  deletes_at: Time.optional().openapi({
    description:
      "The time at which deletion begins; until then it can be undone. Absent if nothing went to the trash.",
  }),
  warnings: z.array(z.string()).optional().openapi({
    description: "Effects of the deletion that may be unwanted.",
  }),
}).openapi("TrashedMessage");

/** Defines the endpoint that takes a record out of the trash. */
export function undeleteEndpoint<Row, Shown>(resource: Resource<Row, Shown>, definition: {
  access: Access;
  description?: string;
  errors?: Record<number, string>;
  undelete(services: ServiceContext, caller: Caller, id: number): Promise<Row>;
}): Endpoint {
  return endpoint({
    ...about(resource, definition),
    method: "post",
    path: `${resource.path}/{id}/undelete`,
    operationId: `undelete${identifier(resource.name)}`,
    summary: `Take ${article(resource.name)} out of the trash`,
    ids: { id: resource.name },
    answer: {
      status: 200,
      description: `The ${lower(resource.name)} as it is now.`,
      content: dataContent(resource),
    },
    async handle({ services, caller, params }) {
      return {
        status: 200,
        body: { data: resource.present(await definition.undelete(services, caller, params.id)) },
      };
    },
  });
}

/**
 * Describes the response `{ data, links, meta }` of a listing of a resource. The listing's path can differ
 * from the resource's own path.
 */
export function listContent<Row, Shown>({ schema, example, path }: Resource<Row, Shown>) {
  const url = `http://127.0.0.1:8000${path}`;
  return {
    type: "application/json",
    schema: z.object({ data: z.array(schema), links: PageLinks, meta: PageMeta }),
    example: pageAnswer([example], 1, { page: 1, per_page: 15 }, { path: url, search: "" }),
  };
}

/** Builds the body that {@link listContent} describes. */
export function listBody<Row, Shown>(
  resource: Resource<Row, Shown>,
  { rows, total }: { rows: readonly Row[]; total: number },
  query: PageQuery,
  { request, baseUrl }: { request: Request; baseUrl: string },
) {
  const { pathname, search } = new URL(request.url);
  return pageAnswer(rows.map((row) => resource.present(row)), total, query, {
    path: `${baseUrl}${pathname}`,
    search,
  });
}

function about<Row, Shown>(
  { plural }: Resource<Row, Shown>,
  { access, description, errors, needsFreshLogin }: {
    access: Access;
    description?: string;
    errors?: Record<number, string>;
    needsFreshLogin?: boolean;
  },
) {
  return { group: plural, access, description, errors, needsFreshLogin };
}

/** Converts `Backup task` to `BackupTask`. */
function identifier(words: string): string {
  return words.split(/[ -]/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function lower(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}

function article(words: string): string {
  return `${/^[aeio]/i.test(words) ? "an" : "a"} ${lower(words)}`;
}
