/** Ends long responses when their token or key is no longer valid. */
import type { TokenWatch } from "../services/access/token_watch.ts";

/**
 * If the response is already complete, returns it unchanged. Otherwise returns a response whose body ends
 * early if the caller's token or key becomes invalid. In this case, an event stream ends normally, and any
 * other body ends with an error.
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
