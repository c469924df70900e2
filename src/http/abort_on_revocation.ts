/** Answers that are read for long end with the token or key that they were given for. */
import type { TokenWatch } from "../services/access/token_watch.ts";

/**
 * The same answer where it is whole already; otherwise one that is cut, or of events ended, once `watch` says
 * so.
 */
export function abortOnRevocation(response: Response, begin: () => TokenWatch): Response {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || type.startsWith("application/json")) return response;
  const watch = begin();
  const reader = response.body.getReader();
  const { ended } = watch;
  // A read that waits is then over at once.
  ended.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done && !ended.aborted) return controller.enqueue(value);
        watch[Symbol.dispose]();
        if (!ended.aborted || type.startsWith("text/event-stream")) controller.close();
        else controller.error(new Error("Cannot go on with the answer: its token is no longer good"));
      } catch (error) {
        watch[Symbol.dispose]();
        controller.error(error);
      }
    },
    async cancel(reason) {
      watch[Symbol.dispose]();
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
