// `npm run restore`: sets up what is missing, then runs the command (docs/backup.md).
import { setUpOrExit } from "./setup.mjs";

await setUpOrExit("start", "setting up");
const { runRestore } = await import("../deploy/standalone/dist/index.js");
await runRestore(process.argv.slice(2));
