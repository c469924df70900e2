/** The steps of a destination's check. */
import type { Answer } from "../../../client/client.ts";
import { Mark } from "../../components/status.tsx";

export type CheckResult = Answer<"/api/backup-destinations/check", "post">["data"];

export function CheckSteps({ result }: { result: CheckResult }) {
  return (
    <section class="section" aria-labelledby="check">
      <h2 id="check">{result.ok ? "The check succeeded." : "The check failed."}</h2>
      <ol class="check-steps">
        {result.steps.map(({ name, ok, message, ms }) => (
          <li key={name}>
            <Mark icon={ok ? "good" : "bad"} tone={ok ? "good" : "bad"} text={name.replaceAll("_", " ")} />
            {" "}
            {message} <span class="muted number">{ms} ms</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
