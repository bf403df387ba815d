// `npm start`: sets up what is missing, then runs the whole of Huishi on this machine.
import { setUpOrExit } from "./setup.mjs";

if (process.argv.includes("--help")) {
  const { usage } = await import("./usage.mjs");
  console.log(usage);
  process.exit(0);
}

await setUpOrExit("start", "setting up");
const { runStandalone } = await import("../deploy/standalone/dist/index.js");
await runStandalone(process.argv.slice(2));
