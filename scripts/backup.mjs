// `npm run backup`: sets up what is missing, then runs the command (docs/backup.md).
import { setUpOrExit } from "./setup.mjs";

await setUpOrExit("start", "setting up");
const { runBackup } = await import("../deploy/standalone/dist/index.js");
await runBackup(process.argv.slice(2));
