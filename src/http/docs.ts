/** Serves `/docs`: the API reference, made with Swagger UI. The page loads nothing from other hosts. */
import type { App } from "./observe.ts";

/** The page's files by name, each with its media type and its path in the package. */
const FILES: Readonly<Record<string, { type: string; source: string }>> = {
  "swagger-ui.css": { type: "text/css; charset=utf-8", source: "swagger-ui-dist/swagger-ui.css" },
  "swagger-ui-bundle.js": {
    type: "text/javascript; charset=utf-8",
    source: "swagger-ui-dist/swagger-ui-bundle.js",
  },
  "favicon-32x32.png": { type: "image/png", source: "swagger-ui-dist/favicon-32x32.png" },
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rearguard API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** The page's script. It is a file because the page's content security policy allows no inline script. */
const START = `SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  validatorUrl: null,
});
`;

/**
 * The page's content security policy. The browser may load only from the control plane's own address.
 * Pictures may also be `data:` URLs, because the style sheet contains such URLs. The policy does not restrict
 * styles that Swagger UI sets by script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Adds the page's routes. Each file is read once and kept in memory. */
export function addDocs(app: App): void {
  const kept = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();
  app.get("/docs", () => answer(PAGE, "text/html; charset=utf-8"));
  app.get("/docs/", (c) => c.redirect("../docs", 301));
  app.get("/docs/start.js", () => answer(START, "text/javascript; charset=utf-8"));
  for (const [name, { type, source }] of Object.entries(FILES)) {
    app.get(`/docs/${name}`, async () => {
      let bytes = kept.get(name);
      if (bytes === undefined) {
        bytes = Deno.readFile(new URL(import.meta.resolve(source)));
        kept.set(name, bytes);
        bytes.catch(() => kept.delete(name));
      }
      return answer(await bytes, type);
    });
  }
}

function answer(body: string | Uint8Array<ArrayBuffer>, type: string): Response {
  return new Response(body, {
    headers: {
      "Content-Type": type,
      "Content-Security-Policy": POLICY,
      "Cache-Control": "public, max-age=3600",
    },
  });
}
