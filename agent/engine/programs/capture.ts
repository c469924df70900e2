/** Captures the short output of programs, such as a version or a list of databases. */
import type { Child, Children, Command, Exit } from "./children.ts";

/** Maximum length of the output in bytes; longer output is an error. No list of databases is that long. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_MESSAGES = 20;

export interface Answer {
  exit: Exit;
  /** The program's stdout, decoded as UTF-8. */
  stdout: string;
  /** The first lines of the program's stderr. */
  messages: string[];
}

/** Runs a program to its end and returns its output. Writes `input` to the program's stdin. */
export async function capture(children: Children, command: Command, input?: Uint8Array): Promise<Answer> {
  const messages: string[] = [];
  const child = children.spawn(command, {
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    onMessage: (line) => {
      if (messages.length < MAX_MESSAGES) messages.push(line);
    },
  });
  const [stdout, exit] = await Promise.all([
    readAnswer(child),
    child.exited,
    input === undefined ? undefined : child.feed([input]),
  ]);
  return { exit, stdout, messages };
}

async function readAnswer(child: Child): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of child.stdout!) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_BYTES) {
      throw new Error(`Cannot read ${child.program}'s answer: it is too long`);
    }
  }
  return text + decoder.decode();
}
