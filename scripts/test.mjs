// `npm test`: installs what the tests need, builds, runs every test (unit, integration, browser) and ends in a
// line 'N passed, N failed'. Arguments go on to vitest.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SetupError, root, setUp } from "./setup.mjs";

const resultsFile = join(root, "test-artifacts/results.json");

console.log("Huishi: setting up for the tests");
try {
  await setUp("test");
} catch (error) {
  process.stdout.write("\n");
  console.error(error instanceof SetupError ? `Set-up stopped: ${error.message}` : error);
  process.exit(1);
}
mkdirSync(join(root, "test-artifacts"), { recursive: true });
rmSync(resultsFile, { force: true });
const run = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${resultsFile}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit" },
);
if (!existsSync(resultsFile)) {
  console.error("The test runner ended without results.");
  process.exit(1);
}
const results = JSON.parse(readFileSync(resultsFile, "utf8"));
// A test file that could not be loaded holds no test, but it is a failure all the same.
const brokenFiles = results.testResults.filter(
  (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
).length;
const failed = results.numFailedTests + brokenFiles;
const skipped = results.numPendingTests + results.numTodoTests;
console.log(
  `\n${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
process.exit(failed > 0 || run.status !== 0 || results.numPassedTests === 0 ? 1 : 0);
