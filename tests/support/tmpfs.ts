/** File systems for one test. All need root. */
import { systemClock } from "../../src/domain/clock.ts";

/** Mounts a small file system in memory, to be filled. */
export async function mountTmpfs(path: string, bytes: number): Promise<AsyncDisposable> {
  await Deno.mkdir(path, { recursive: true });
  await run("mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0777`, "none", path);
  return { [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

/** Returns why a test of btrfs cannot run here; null if it can. */
export function missingBtrfs(): string | null {
  if (Deno.uid() !== 0) return "mounting needs root";
  return /\tbtrfs$/m.test(Deno.readTextFileSync("/proc/filesystems")) ? null : "the kernel has no btrfs";
}

/** Mounts btrfs in a file at the path. */
export function mountBtrfs(path: string): Promise<AsyncDisposable> {
  return mountImage(path, ["mkfs.btrfs", "-q"], ["mount"]);
}

/** Mounts exFAT in a file, which supports neither hard links nor owners nor symbolic links. */
export function mountExfat(path: string): Promise<AsyncDisposable> {
  return mountImage(path, ["mkfs.exfat"], ["mount.exfat-fuse"]);
}

/**
 * Mounts a directory through FUSE.
 *
 * @param options Options of bindfs, such as `--chown-deny`.
 */
export async function mountBindfs(
  from: string,
  path: string,
  options: readonly string[],
): Promise<AsyncDisposable> {
  await Deno.mkdir(path, { recursive: true });
  await run("bindfs", ...options, from, path);
  return { [Symbol.asyncDispose]: async () => void await run("umount", path) };
}

/** A mounted directory that can fall silent, like a network file system whose server is gone. */
export class FreezableMount implements AsyncDisposable {
  private constructor(readonly path: string, private readonly server: Deno.ChildProcess) {}

  static async open(from: string, path: string): Promise<FreezableMount> {
    await Deno.mkdir(path, { recursive: true });
    const device = Deno.statSync(path).dev;
    // Disables caching.
    const options = ["-f", "-o", "attr_timeout=0,entry_timeout=0,direct_io"];
    const server = new Deno.Command("bindfs", { args: [...options, from, path], stdin: "null" }).spawn();
    while ((await Deno.stat(path)).dev === device) await systemClock.sleep(20);
    return new FreezableMount(path, server);
  }

  freeze(): void {
    this.server.kill("SIGSTOP");
  }

  thaw(): void {
    this.server.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await run("umount", "-l", this.path);
    await this.server.status;
  }
}

async function mountImage(path: string, make: string[], mount: string[]): Promise<AsyncDisposable> {
  await Deno.mkdir(path, { recursive: true });
  const image = await Deno.makeTempFile({ prefix: "rearguard-image-" });
  await Deno.truncate(image, 200 * 2 ** 20);
  const [maker, ...options] = make;
  await run(maker!, ...options, image);
  const device = (await run("losetup", "--find", "--show", image)).trim();
  const [mounter, ...mounting] = mount;
  await run(mounter!, ...mounting, device, path);
  return {
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await run("losetup", "--detach", device);
      await Deno.remove(image);
    },
  };
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr).trim()}`);
}
