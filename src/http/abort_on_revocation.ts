/** Ends long responses when their token or key is no longer valid. */
import type { TokenWatch } from "../services/access/token_watch.ts";

/**
 * Returns a response whose body ends when the caller's token or key is no longer valid. An event stream then
 * ends normally. Any other body is cut off. If the response is already complete, returns it unchanged.
 */
export function abortOnRevocation(response: Response, begin: () => TokenWatch): Response {
  const type = response.headers.get("content-type") ?? "";
  if (response.body === null || type.startsWith("application/json")) return response;
  const watch = begin();
  const reader = response.body.getReader();
  const { ended } = watch;
  // Ends a read that is waiting for data.
  ended.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done && !ended.aborted) return controller.enqueue(value);
        watch[Symbol.dispose]();
        if (!ended.aborted || type.startsWith("text/event-stream")) controller.close();
        else controller.error(new Error("Cannot continue the response: its token is no longer valid"));
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
