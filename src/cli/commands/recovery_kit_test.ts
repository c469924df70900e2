import assert from "node:assert/strict";
import { CliHome } from "../../../tests/support/clients/cli.ts";
import { newBackup } from "../../../tests/support/fixtures/records.ts";
import { startApi } from "../../../tests/support/servers/served_api.ts";

const HOST_KEY = `SHA256:${"k".repeat(43)}`;
const SECRET = "a-secret-that-must-not-be-printed";

Deno.test("the recovery kit lists the location of everything, as a PDF too, and contains no secret", async () => {
  await using api = await startApi();
  await using home = await CliHome.open();
  await api.services.database`update users set is_admin = true`;
  const env = { REARGUARD_URL: api.url, REARGUARD_API_TOKEN: api.token };
  const empty = await home.run(["recovery-kit"], { env });
  assert.match(empty.stdout, /^- None\. Make a task of type control_plane/m);
  assert.match(empty.stdout, /^ {2}deno task admin recover --from PLACE$/m);
  await api.api.create("/backup-destinations", {
    label: "Tresor",
    type: "custom_s3",
    s3_access_key: "AK",
    s3_secret_key: SECRET,
    s3_bucket_name: "safe",
    custom_s3_endpoint: "https://s3.example.test",
  });
  const nas = await api.api.create("/backup-destinations", {
    label: "NAS",
    type: "sftp",
    sftp_host: "2001:db8::7",
    sftp_username: "backup",
    sftp_password: SECRET,
    sftp_host_key: HOST_KEY,
    sftp_path: "rear guard",
  });
  const taskId = await api.api.create("/backup-tasks", {
    remote_server_id: await api.api.create("/remote-servers", { label: "web", ip_address: "192.0.2.1" }),
    backup_destination_id: nas,
    label: "Rearguard itself",
    type: "control_plane",
    frequency: "daily",
    time_to_run_at: "04:00",
  });
  await newBackup(api.services.database, taskId, new Date(0), {
    engine: "rearguard",
    directory: "rear guard",
  });
  const { code, stdout, stderr } = await home.run(["recovery-kit"], { env });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^- Tresor \(.+\): https:\/\/s3\.example\.test, bucket safe; 0 backups$/m);
  assert.match(
    stdout,
    /^- Rearguard \d+\.\d+\.\d+ with Deno \d+\.\d+\.\d+; its source is in \/\S+\. Keep a copy\.$/m,
  );
  assert.match(stdout, /^- Its database: PostgreSQL, database \S+ of user \S+ at \S+:\d+$/m);
  for (const each of ["export DATABASE_URL=", "export ENCRYPTION_PASSWORDS=", "deno task start"]) {
    assert.ok(stdout.includes(each), each);
  }
  assert.match(stdout, /sealed with key [0-9a-f]{8}\.$/m);
  const recover =
    `  export SFTP_HOST_KEY=${HOST_KEY} SFTP_PRIVATE_KEY_FILE=… # or SFTP_PASSWORD, which is asked for otherwise
  deno task admin recover --from 'sftp://backup@[2001:db8::7]:22/~/rear%20guard'
`;
  assert.ok(stdout.includes(recover), stdout);
  // For a backup on a server's disk, the kit names the server and the commands.
  const disk = await api.api.create("/backup-destinations", {
    label: "Disk",
    type: "local",
    local_path: "/srv/backups",
  });
  const [vault, attic] = [
    await api.api.create("/remote-servers", { label: "vault", ip_address: "192.0.2.9" }),
    await api.api.create("/remote-servers", { label: "attic", ip_address: "192.0.2.8" }),
  ];
  for (const [remote_server_id, hour] of [[vault, 1], [attic, 2], [vault, 3]] as const) {
    await newBackup(api.services.database, taskId, new Date(hour * 3_600_000), {
      engine: "rearguard",
      backup_destination_id: disk,
      remote_server_id,
      directory: "/srv/backups",
      file_name: `backup_${hour}.sql.zst`,
    });
  }
  const local = (await home.run(["recovery-kit"], { env })).stdout;
  assert.match(local, /backup_3\.sql\.zst.* on the disk of vault \(192\.0\.2\.9\), \/srv\/backups/);
  assert.match(local, /backup_2\.sql\.zst.* on the disk of attic \(192\.0\.2\.8\), \/srv\/backups/);
  assert.match(local, /^- Disk .* on the disk of attic \(192\.0\.2\.8\), vault \(192\.0\.2\.9\), \/srv/m);
  assert.match(
    local,
    /^ {2}# there, .* off the disk of vault \(192\.0\.2\.9\)\n {2}deno task admin recover --from \/srv\/backups$/m,
  );
  const json = await home.run(["recovery-kit", "--json"], { env });
  assert.equal(JSON.parse(json.stdout).data.destinations[0].label, "Tresor");
  const pdf = await home.run(["recovery-kit", "--pdf", `${home.directory}/kit.pdf`], { env });
  assert.equal(pdf.code, 0, pdf.stderr);
  const bytes = await Deno.readFile(`${home.directory}/kit.pdf`);
  assert.equal(new TextDecoder("latin1").decode(bytes.subarray(0, 5)), "%PDF-");
  assert.ok(new TextDecoder("latin1").decode(bytes).trimEnd().endsWith("%%EOF"));
  for (const text of [stdout, json.stdout]) assert.ok(!text.includes(SECRET));
});
