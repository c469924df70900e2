import assert from "node:assert/strict";
import { CliHome } from "../../tests/support/clients/cli.ts";
import { startControlPlane } from "../../tests/support/servers/control_plane.ts";

Deno.test("destinations, servers and streams are created from fields, with secrets from other sources", async () => {
  await using plane = await startControlPlane();
  await using home = await CliHome.open();
  const { url, token } = plane.api;
  const env = { REARGUARD_URL: url, REARGUARD_API_TOKEN: token, BUCKET_SECRET: "bucket-secret" };
  const run = (...args: string[]) => home.run(args, { env });
  const local = ["--label", "Here", "--type", "local", "--local-path", `${home.directory}/stored`];
  assert.deepEqual(await run("destinations", "create", ...local), {
    code: 0,
    stdout: "Destination 1 created: Here\n",
    stderr: "",
  });
  const fields = ["s3_access_key=key", "s3_bucket_name=backups", "s3_region=eu-central-1"];
  const bucket = await run(
    ...["destinations", "create", "--json", "--label", "Bucket", "--type", "s3"],
    ...fields.flatMap((field) => ["--field", field]),
    ...["--secret", "s3_secret_key=env:BUCKET_SECRET"],
  );
  assert.equal(bucket.code, 0, bucket.stderr);
  assert.equal(JSON.parse(bucket.stdout).data.s3_bucket_name, "backups");

  const flags = await run(
    ...["destinations", "create", "--json", "--label", "MinIO", "--type", "custom_s3"],
    ...["--s3-access-key-from", "env:BUCKET_SECRET", "--s3-secret-key-from", "env:BUCKET_SECRET"],
    ...["--s3-bucket-name", "backups", "--custom-s3-endpoint", "https://s3.example.com"],
    ...["--path-style-endpoint", "true"],
  );
  assert.equal(flags.code, 0, flags.stderr);
  const { s3_endpoint, path_style_endpoint, is_s3_secret_key_set } = JSON.parse(flags.stdout).data;
  assert.deepEqual([s3_endpoint, path_style_endpoint, is_s3_secret_key_set], [
    "https://s3.example.com",
    true,
    true,
  ]);
  const listed = await run("destinations", "list");
  assert.match(listed.stdout, /MinIO +.*Custom S3 +.*backups/);

  const server = await run("servers", "create", "--label", "web1", "--ip-address", "203.0.113.7");
  assert.deepEqual([server.code, server.stdout], [0, "Server 2 created: web1\n"]);
  await Deno.writeTextFile(`${home.directory}/stream.json`, '{"label": "Hook", "type": "webhook"}');
  const stream = await home.run(
    ["streams", "create", "--from-file", "stream.json", "--secret", "value=stdin"],
    { env, stdin: "https://hook.example.com/a\n", cwd: home.directory },
  );
  assert.deepEqual([stream.code, stream.stdout], [0, "Notification stream 1 created: Hook\n"]);

  const argument = await run("destinations", "create", "--field", "sftp_password=secret");
  assert.deepEqual(argument, {
    code: 2,
    stdout: "",
    stderr: "Cannot take sftp_password as an argument, because other users can read arguments\n",
  });
  const bad = await run("streams", "create", "--secret", "value=hunter2");
  assert.equal(bad.code, 2);
  assert.doesNotMatch(bad.stderr, /hunter2/);
});
