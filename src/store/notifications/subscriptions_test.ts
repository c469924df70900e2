import assert from "node:assert/strict";
import { testServices } from "../../../tests/support/fixtures/database.ts";
import { newStream } from "../../../tests/support/fixtures/notified.ts";
import { plant } from "../../../tests/support/fixtures/planted.ts";
import {
  EVENT_CLASS_NAMES,
  isSubscribed as isSubscribedByRule,
} from "../../domain/notifications/event_classes.ts";
import { isSubscribed } from "./subscriptions.ts";

Deno.test("the query finds the streams of a class as the rule of the domain does", async () => {
  await using test = await testServices();
  const { caller } = await plant(test.services);
  const sql = test.services.database;
  for (const name of EVENT_CLASS_NAMES) {
    const subscriptions = [true, false].flatMap((on_success) =>
      [true, false].flatMap((on_failure) =>
        [{}, { [name]: true }, { [name]: false }].map((events) => ({ on_success, on_failure, events }))
      )
    );
    const expected: number[] = [];
    for (const subscription of subscriptions) {
      const id = await newStream(test.services, { userId: caller.userId, taskId: null }, subscription);
      if (isSubscribedByRule(subscription, name)) expected.push(id);
    }
    const found = await sql<{ id: number }[]>`
      select n.id from notification_streams n where ${isSubscribed(sql, [name])} order by n.id`;
    assert.deepEqual(found.map(({ id }) => id), expected, name);
    await sql`delete from notification_streams`;
  }
});
