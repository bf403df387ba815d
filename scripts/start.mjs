// `npm start`: sets up what is missing, then runs the whole of Huishi on this machine.
import { SetupError, setUp } from "./setup.mjs";

if (process.argv.includes("--help")) {
  const { usage } = await import("./usage.mjs");
  console.log(usage);
  process.exit(0);
}

console.log("Huishi: setting up");
try {
  await setUp("start");
} catch (error) {
  process.stdout.write("\n");
  console.error(error instanceof SetupError ? `Set-up stopped: ${error.message}` : error);
  process.exit(1);
}
const { runStandalone } = await import("../deploy/standalone/dist/index.js");
await runStandalone(process.argv.slice(2));
