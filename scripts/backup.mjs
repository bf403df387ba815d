// `npm run backup`: sets up what is missing, then runs the command (docs/backup.md).
import { SetupError, setUp } from "./setup.mjs";

console.log("Huishi: setting up");
try {
  await setUp("start");
} catch (error) {
  process.stdout.write("\n");
  console.error(error instanceof SetupError ? `Set-up stopped: ${error.message}` : error);
  process.exit(1);
}
const { runBackup } = await import("../deploy/standalone/dist/index.js");
await runBackup(process.argv.slice(2));
