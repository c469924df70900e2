/** Directory trees with everything a file system can hold, and a description of one to compare with another's. */
import { shell } from "./backup_run.ts";

/** Makes, in an empty directory, what a backup must bring back. Root can make more than others. */
export async function growTree(directory: string): Promise<void> {
  await shell(
    `cd "$1"
    mkdir -p plain/deep/er empty 'with space' -- -dash
    echo hello > plain/hello.txt
    : > plain/nothing
    head -c 20000000 /dev/urandom > plain/noise.bin
    yes 'all work and no play' | head -c 9000000 > plain/text || true
    echo x > "$(printf 'new\\nline')"
    echo x > 'quo"te'"'"'s'
    echo x > "$(printf 'not utf8 \\377\\376')"
    echo x > 'back\\slash\\n'
    echo x > 'star*[a-z]?'
    echo x > -- --checkpoint-action=exec=false
    echo x > 'grün – 日本.txt'
    echo x > "$(printf 'n%.0s' $(seq 255))"
    long=$(printf 'd%.0s' $(seq 200)); mkdir -p "long/$long/$long"; echo deep > "long/$long/$long/file"
    ln plain/hello.txt plain/deep/hard; ln plain/hello.txt 'with space/hard too'
    ln -s plain/hello.txt link; ln -s /nowhere/at/all dangling; ln -s plain 'link -> dir'
    mkfifo fifo
    truncate -s 64M sparse; printf 'island' | dd of=sparse bs=1 seek=40000000 conv=notrunc status=none
    truncate -s 1M 'all hole'
    echo sealed > readonly; chmod 0400 readonly
    echo program > setuid; chmod 4755 setuid; mkdir sticky; chmod 1777 sticky
    mkdir closed; echo in > closed/in; chmod 0500 closed
    touch -d '1970-01-02 03:04:05.123456789 UTC' plain/hello.txt
    touch -d '2001-09-09 01:46:40.000000001 UTC' plain/deep
    touch -h -d '2010-01-01 00:00:00.5 UTC' link
    setfattr -n user.comment -v 'a "quoted" value' plain/nothing
    setfattr -n user.binary -v 0x00ff00 plain
    setfacl -m u:12345:rw- plain/text; setfacl -d -m g:54321:r-x plain/deep/er
    if [ "$(id -u)" = 0 ]; then
      chown 12345:54321 plain/noise.bin; chown -h 4242:4242 link
      setfattr -n trusted.mark -v root plain/text
      mknod device c 1 3
    fi`,
    directory,
  );
}

/** One line a member: all that must be the same after a restore. Sorted, with names as Latin-1. */
export async function describeTree(directory: string): Promise<string[]> {
  const found = await bytes(
    ["find", ".", "-printf", "%i\\t%y\\t%m\\t%U:%G\\t%T@\\t%s %S\\t%l\\t%p\\0"],
    directory,
  );
  const rows = found.split("\0").filter((row) => row !== "").map((row) => row.split("\t"));
  // A name may hold a tab: it comes last.
  const members = rows.map(([inode, type, mode, owner, time, extent, target, ...name]) => ({
    inode: inode!,
    name: name.join("\t"),
    shown: [type, mode, owner, time, type === "f" ? holes(extent!) : "", target].join(" "),
  })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const firstName = new Map<string, string>();
  for (const { inode, name } of members) if (!firstName.has(inode)) firstName.set(inode, name);
  return [
    ...members.map(({ inode, name, shown }) => `${JSON.stringify(name)} ${shown} = ${firstName.get(inode)}`),
    ...(await contents(directory)),
    ...(await devices(directory)),
    ...(await attributes(directory)),
  ];
}

/** Size, and whether less than half of a large file is on disk. */
function holes(extent: string): string {
  const [size, filled] = extent.split(" ").map(Number);
  return `${size}${size! > 1_000_000 && filled! < 0.5 ? " with holes" : ""}`;
}

async function contents(directory: string): Promise<string[]> {
  const sums = await bytes(["sh", "-c", "find . -type f -print0 | xargs -0 sha256sum -z --"], directory);
  return sums.split("\0").filter((sum) => sum !== "").sort();
}

/** Which device each of the special files stands for. */
async function devices(directory: string): Promise<string[]> {
  const script = "find . '(' -type b -o -type c ')' -print0 | xargs -0 -r stat --printf='%t:%T %n\\0' --";
  return (await bytes(["sh", "-c", script], directory)).split("\0").sort();
}

/** Access lists are attributes too. */
async function attributes(directory: string): Promise<string[]> {
  const dump = await bytes(["getfattr", "-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "."], directory);
  return dump.split("\n\n").filter((block) => block.trim() !== "").map((block) => block.trim()).sort();
}

async function bytes([program, ...args]: string[], cwd: string): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command(program!, { args, cwd, stdin: "null" }).output();
  if (!success) throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder("latin1").decode(stdout);
}
