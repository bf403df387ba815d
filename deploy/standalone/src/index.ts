export { runBackup, runRestore } from "./backup/commands.ts";
export { parseOptions, type StandaloneOptions } from "./options.ts";
export { Progress } from "./progress.ts";
export { runStandalone } from "./run.ts";
export { type RunningStandalone, startStandalone } from "./standalone.ts";
