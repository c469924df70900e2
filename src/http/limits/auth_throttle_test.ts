import assert from "node:assert/strict";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { AuthThrottle } from "./auth_throttle.ts";
import { HttpError } from "../errors.ts";

const BAD = "rg_AAAAAAAAAAAAAAAA";
/** Returns an invalid token. Tokens of different numbers have different beginnings. */
const bad = (number: number) => `rg_${String(number).padEnd(10, "x")}`;

function refusal(throttle: AuthThrottle, address: string, token: string): HttpError | null {
  try {
    throttle.admit(address, token);
    return null;
  } catch (error) {
    assert.ok(error instanceof HttpError);
    return error;
  }
}

Deno.test("a token that failed too often from an address is refused for the rest of the minute", async () => {
  const clock = new TestClock();
  const throttle = new AuthThrottle(9, clock);
  for (let failures = 0; failures < 3; failures++) {
    assert.equal(refusal(throttle, "192.0.2.1", BAD), null);
    throttle.recordFailure("192.0.2.1", BAD);
  }
  await clock.advance(15_000);
  const refused = refusal(throttle, "192.0.2.1", `${BAD}-and-another-end`);
  assert.deepEqual([refused?.status, refused?.headers["Retry-After"]], [429, "45"]);
  assert.ok(!refused!.message.includes("rg_"));
  // From the same address, another token is admitted. From another address, the refused token is admitted.
  assert.equal(refusal(throttle, "192.0.2.1", bad(1)), null);
  assert.equal(refusal(throttle, "192.0.2.2", BAD), null);
  await clock.advance(45_000);
  assert.equal(refusal(throttle, "192.0.2.1", BAD), null);
});

Deno.test("an address that tries many tokens is refused, but not a recently valid token from there", () => {
  const throttle = new AuthThrottle(9, new TestClock());
  throttle.recordSuccess("2001:db8:0:1::5", "rg_good-there");
  for (let number = 0; number < 9; number++) {
    assert.equal(refusal(throttle, "2001:db8:0:1::5", bad(number)), null);
    throttle.recordFailure("2001:db8:0:1::5", bad(number));
  }
  assert.equal(refusal(throttle, "2001:db8:0:1::5", bad(9))?.status, 429);
  // An address in the same network is refused, too. An address in another network is admitted.
  assert.equal(refusal(throttle, "2001:db8:0:1:ffff::1", bad(9))?.status, 429);
  assert.equal(refusal(throttle, "2001:db8:0:2::5", bad(9)), null);
  assert.equal(refusal(throttle, "2001:db8:0:1::5", "rg_good-there"), null);
  throttle.recordFailure("2001:db8:0:1::5", "rg_good-there"); // the token was revoked meanwhile
  assert.equal(refusal(throttle, "2001:db8:0:1::5", "rg_good-there")?.status, 429);
});

Deno.test("without a limit or a known address nothing is refused", () => {
  const none = new AuthThrottle(0, new TestClock());
  const some = new AuthThrottle(3, new TestClock());
  for (let failures = 0; failures < 10; failures++) {
    none.recordFailure("192.0.2.1", BAD);
    some.recordFailure(null, BAD);
  }
  none.admit("192.0.2.1", BAD);
  some.admit(null, BAD);
});
