import assert from "node:assert/strict";
import { editPlain, type PlainEdits } from "./plain.ts";

const KEY = { table: "public.child", name: "Odd key", definition: "FOREIGN KEY (a) REFERENCES public.t(a)" };

/** Returns the edited dump. Asserts that the result does not depend on the size of the chunks. */
async function edited(dump: string, changes: Partial<PlainEdits> = {}): Promise<string> {
  const edits = {
    settings: null,
    isOwned: true,
    foreignKeys: [],
    isUnwanted: () => false,
    continuesOnErrors: false,
    ...changes,
  };
  const bytes = new TextEncoder().encode(dump);
  const texts = await Promise.all([1, 3, 7, bytes.length].map(async (size) => {
    const chunks = (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
    })();
    const parts: BlobPart[] = [];
    for await (const part of editPlain(chunks, edits)) parts.push(part.slice() as BlobPart);
    return await new Blob(parts).text();
  }));
  assert.deepEqual(new Set(texts).size, 1);
  return texts[0]!;
}

const HEADER =
  "--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\nSET transaction_timeout = 0;\n\n";
const ENTRY = "--\n-- Name: t; Type: TABLE; Schema: public; Owner: it's\n--\n\n";
/** Part of a dump whose rows, strings, identifiers and function bodies look like statements. */
const BODY = `${ENTRY}CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $_$
ALTER TABLE public.t OWNER TO ada;
GRANT ALL ON t TO ada;
COPY public.t (a) FROM stdin;
SET transaction_timeout = 0;
$_$;


COMMENT ON TABLE public.t IS 'it''s
GRANT ALL ON t TO ada;
';
COMMENT ON TABLE public.t IS E'\\\\ \\' it''s
REVOKE ALL ON t FROM ada;
';

COPY public.t (a) FROM stdin;
ALTER TABLE public.t OWNER TO ada;
é\\.x
$_$ ' "
GRANT ALL ON t TO ada;
\\.


COPY public.empty (a) FROM stdin;
\\.


SELECT pg_catalog.setval('public.s', 1, true);
`;

Deno.test("a plain dump that needs no edit stays unchanged", async () => {
  const dump = HEADER + BODY + "-- PostgreSQL database dump complete\n--\n\nno line end";
  assert.equal(await edited(dump), dump);
});

Deno.test("settings that the server does not support are left out, only at the dump's start", async () => {
  const settings = new Set(["statement_timeout"]);
  const without = HEADER.replace("SET transaction_timeout = 0;\n", "");
  assert.equal(await edited(HEADER + BODY, { settings }), without + BODY);
});

Deno.test("statements with which an older dump drops objects first are left out", async () => {
  const dropping = `ALTER TABLE IF EXISTS ONLY s.t DROP CONSTRAINT IF EXISTS t_pkey;
CREATE OR REPLACE VIEW s.grouped AS
SELECT
    NULL::integer AS id,
    NULL::text AS "a;
b";
DROP VIEW IF EXISTS s.grouped;
`;
  assert.equal(await edited(HEADER + dropping + BODY), HEADER + BODY);
});

Deno.test("owners and grants are left out, but not text that only looks like them", async () => {
  const owning = `ALTER TABLE public.t OWNER TO ada;

GRANT SELECT ON TABLE public.t TO bob;
ALTER DEFAULT PRIVILEGES FOR ROLE ada GRANT SELECT ON TABLES TO bob;
ALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK (a > 0);
`;
  const left = "\nALTER TABLE ONLY public.t ADD CONSTRAINT c CHECK (a > 0);\n";
  assert.equal(await edited(HEADER + BODY + owning, { isOwned: false }), HEADER + BODY + left);
});

Deno.test("a foreign key to rows that are left out is removed from the dump", async () => {
  const key =
    'ALTER TABLE ONLY public.child\n    ADD CONSTRAINT "Odd key" FOREIGN KEY (a) REFERENCES public.t(a);\n';
  const other = 'ALTER TABLE ONLY public.child\n    ADD CONSTRAINT "Odd key 2" CHECK ((a > 0));\n';
  assert.equal(
    await edited(HEADER + key + other + BODY, { foreignKeys: [KEY] }).then((text) =>
      text.includes("Odd key")
    ),
    false,
  );
  assert.equal(await edited(HEADER + BODY + key + other, { foreignKeys: [KEY] }), HEADER + BODY + other);
});

Deno.test("entries of an excluded extension are left out with their rows", async () => {
  const isUnwanted = (line: string) =>
    /^COPY public\.t /.test(line) || line.startsWith("SELECT pg_catalog.setval");
  const text = await edited(HEADER + BODY, { isUnwanted });
  assert.doesNotMatch(text, /é|setval/);
  assert.match(text, /COPY public\.empty \(a\) FROM stdin;\n\\\.\n/);
});

Deno.test("rows that cannot be loaded end a load that continues after errors", async () => {
  const rows = "COPY public.empty (a) FROM stdin;\n1\n\\.\n";
  const on = "\\set ON_ERROR_STOP 1\n";
  const off = "\\set ON_ERROR_STOP 0\n";
  const continuesOnErrors = true;
  assert.equal(
    await edited(`${HEADER}${ENTRY}${rows}`, { continuesOnErrors }),
    `${HEADER}${ENTRY}${on}${rows}${off}`,
  );
  const [open, close] = ["\\restrict abc\n", "\\unrestrict abc\n"];
  assert.equal(
    await edited(`${open}${HEADER}${ENTRY}${rows}${close}`, { continuesOnErrors }),
    `${open}${close}${off}${open}${HEADER}${ENTRY}${close}${on}${open}${rows}${close}${off}${open}${close}`,
  );
});
