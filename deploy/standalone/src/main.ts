import { runStandalone } from "./run.ts";

await runStandalone(process.argv.slice(2));
