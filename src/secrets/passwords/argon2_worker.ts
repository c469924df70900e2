/** Computes Argon2id in a worker, because the computation blocks its thread for tens of milliseconds. */
import { randomBytes } from "node:crypto";
import { argon2id, argon2Verify } from "hash-wasm";
import { ARGON2, type HashRequest, type HashResponse } from "./argon2.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<HashRequest>) => void;
  postMessage(response: HashResponse): void;
};

async function compute({ password, hash }: HashRequest): Promise<string | boolean> {
  if (hash !== null) return await argon2Verify({ password, hash });
  return await argon2id({
    password,
    salt: randomBytes(16),
    memorySize: ARGON2.memory,
    iterations: ARGON2.passes,
    parallelism: ARGON2.lanes,
    hashLength: 32,
    outputType: "encoded",
  });
}

scope.onmessage = async ({ data }) => {
  try {
    scope.postMessage({ id: data.id, result: await compute(data) });
  } catch (error) {
    scope.postMessage({ id: data.id, error: (error as Error).message });
  }
};
