/** Fields of a backup task that say how backups are encrypted. */
import * as z from "zod";
import { defineFields } from "./fields/field.ts";
import { recipientProblem } from "./formats/age_recipients.ts";
import { says } from "./formats/says.ts";
import { line, secret } from "./formats/text.ts";

const recipient = line(2048).refine((value) => recipientProblem(value) === null, {
  error: (issue) => says(recipientProblem(String(issue.input)) ?? "is invalid")(issue),
});

export const TASK_ENCRYPTION_FIELDS = defineFields({
  encryption_password: {
    schema: secret(1000),
    help: "password that backups are encrypted with",
    description: "Encrypts backups with age.",
    isSecret: true,
    isTypedTwice: true,
  },
  encryption_recipients: {
    schema: z.array(recipient).max(32),
    help: "age public keys that backups are encrypted to, instead of a password",
    description: "age public keys that backups are encrypted to, instead of a password. Only the secret " +
      "key of one of them decrypts them. Null or an empty list for none.",
    example: ["age14dzgq5jzjzp4lwnp2udpu2naeqrzcjm9xwrzu7hrp8jc5cpxzpgqdtsnsn"],
    placeholder: "key",
    default: [],
    isResetByNull: true,
  },
});
