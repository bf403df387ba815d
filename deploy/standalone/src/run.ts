import { HuishiError } from "@huishi/kernel";
import { parseOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { startStandalone } from "./standalone.ts";

/**
 * What `npm start` runs after the set-up: starts everything, prints the address, and stops cleanly on Ctrl-C.
 *
 * @param args the command line after `npm start --`
 */
export async function runStandalone(args: readonly string[]): Promise<void> {
  const progress = new Progress((text) => process.stdout.write(text));
  progress.line("Huishi: starting");
  const stopAsked = nextStopSignal();
  try {
    const running = await startStandalone(parseOptions(args, process.env, process.cwd()), progress);
    progress.line("");
    progress.line(`  Wall: ${running.url}`);
    if (running.setupUrl !== null) {
      progress.line(`  Create the first administrator with this link, which works once:`);
      progress.line(`  ${running.setupUrl}`);
    }
    progress.line("  Ctrl-C stops everything.");
    await stopAsked;
    progress.line("");
    await progress.step(
      "Stopping",
      () => running.stop(),
      () => "stopped",
    );
    process.exit(0);
  } catch (error) {
    if (!(error instanceof HuishiError)) throw error;
    progress.line("");
    process.stderr.write(`Huishi did not start: ${error.code}: ${error.message}\n`);
    process.exit(1);
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one, by somebody who cannot wait, ends the process. */
function nextStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = (): void => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  });
}
