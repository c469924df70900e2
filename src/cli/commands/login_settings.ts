/** `login-settings`: shows and changes the settings of everybody's log-ins. For administrators. */
import { type Command, Option } from "commander";
import { calling, type Cli } from "../command_line.ts";

const PATH = "/api/login-settings";

export function addLoginSettingsCommands(program: Command): void {
  const settings = program.command("login-settings")
    .description("The settings of everybody's log-ins, for administrators");
  settings.command("show").description("Show them").action(calling(show));
  settings.command("update").description("Change them").addOption(
    new Option("--second-factor-required <true|false>", "whether everybody must have a second factor")
      .choices(["true", "false"]).makeOptionMandatory(),
  ).action(calling(update));
}

async function show({ api, output }: Cli): Promise<void> {
  output.record(await api.get("show the log-in settings", PATH));
}

async function update({ api, output }: Cli, options: { secondFactorRequired: string }): Promise<void> {
  output.record(
    await api.put("change the log-in settings", PATH, {
      body: { second_factor_required: options.secondFactorRequired === "true" },
    }),
  );
}
