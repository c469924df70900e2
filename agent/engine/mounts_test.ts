import assert from "node:assert/strict";
import { isWithin, mountOf, parseFstab, parseMountinfo, readMounts, vanishedMount } from "./mounts.ts";

const MOUNTINFO = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /mnt/with\\040space rw,nosuid shared:5 master:1 - tmpfs none rw
31 22 8:1 / /data rw - ext4 /dev/sda1 rw
32 31 8:2 / /data rw - xfs /dev/sdb1 rw
`;
const FSTAB = `# a comment
UUID=1 / ext4 defaults 0 1
/dev/sdb1\t/data\txfs defaults 0 2
/dev/sdc1 /srv/www/ ext4 noauto 0 2
LABEL=x /mnt/with\\040space tmpfs defaults
/dev/sdd none swap sw 0 0
`;

Deno.test("a path's file system is the last mounted one above it", () => {
  const mounts = parseMountinfo(MOUNTINFO);
  assert.deepEqual(mountOf("/data/a", mounts), {
    point: "/data",
    type: "xfs",
    device: "/dev/sdb1",
    fileSystem: "8:2",
    root: "/",
  });
  assert.equal(mountOf("/mnt/with space", mounts)?.type, "tmpfs");
  assert.equal(mountOf("/database", mounts)?.device, "/dev/vda");
});

Deno.test("an unmounted mount point of fstab is found for itself and for paths below it", () => {
  const mounts = parseMountinfo(MOUNTINFO);
  const expected = parseFstab(FSTAB);
  assert.deepEqual(expected, ["/", "/data", "/srv/www", "/mnt/with space"]);
  assert.equal(vanishedMount("/srv/www", expected, mounts), "/srv/www");
  assert.equal(vanishedMount("/srv/www/site", expected, mounts), "/srv/www");
  for (const path of ["/data", "/mnt/with space/x", "/srv", "/srv/www2", "/"]) {
    assert.equal(vanishedMount(path, expected, mounts), undefined, path);
  }
});

Deno.test("only spaces and tabs separate the fields of a mount point", () => {
  const odd = ["/a\u00a0", "/\u3000b", "/c\\040", "/d\\012e"];
  const fstab = odd.map((point) => ` \tLABEL=x  ${point}\text4 defaults 0 0`).join("\n");
  const points = ["/a\u00a0", "/\u3000b", "/c ", "/d\ne"];
  assert.deepEqual(parseFstab(fstab), points);
  const mountinfo = odd.map((point) => `30 22 0:26 / ${point} rw shared:5 - tmpfs none rw\n`).join("");
  assert.deepEqual(parseMountinfo(mountinfo).map(({ point }) => point), points);
});

Deno.test("this system's own mounts are read", async () => {
  const { mounts } = await readMounts();
  assert.ok(mountOf("/", mounts));
});

Deno.test("a path is only within itself and its parents", () => {
  assert.ok(isWithin("/a/b", "/a") && isWithin("/a", "/a") && isWithin("/a", "/"));
  assert.ok(!isWithin("/ab", "/a") && !isWithin("/", "/a"));
});
