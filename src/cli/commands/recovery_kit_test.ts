import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/cli.ts";
import { startApi } from "../../../tests/support/served_api.ts";

const SECRET = "a-secret-that-must-not-be-printed";

Deno.test("the recovery kit tells where everything is, on paper too, and no secret", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  await api.services.database`update users set is_admin = true`;
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  await api.api.create("/backup-destinations", {
    label: "Tresor",
    type: "custom_s3",
    s3_access_key: "AK",
    s3_secret_key: SECRET,
    s3_bucket_name: "safe",
    custom_s3_endpoint: "https://s3.example.test",
  });
  const { code, stdout, stderr } = await home.run(["recovery-kit"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^- Tresor \(.+\): https:\/\/s3\.example\.test, bucket safe; 0 backups$/m);
  assert.match(stdout, /sealed with key [0-9a-f]{8}\.$/m);
  assert.match(stdout, /^- None\. Make a task of type control_plane/m);
  assert.match(stdout, /^ {2}deno task admin recover --from /m);
  const json = await home.run(["recovery-kit", "--json"], { env });
  assert.equal(JSON.parse(json.stdout).data.destinations[0].label, "Tresor");
  const pdf = await home.run(["recovery-kit", "--pdf", `${home.directory}/kit.pdf`], { env });
  assert.equal(pdf.code, 0, pdf.stderr);
  const bytes = await Deno.readFile(`${home.directory}/kit.pdf`);
  assert.equal(new TextDecoder("latin1").decode(bytes.subarray(0, 5)), "%PDF-");
  assert.ok(new TextDecoder("latin1").decode(bytes).trimEnd().endsWith("%%EOF"));
  for (const text of [stdout, json.stdout]) assert.ok(!text.includes(SECRET));
});
