// `npm test`: installs what the tests need, builds, runs every test (unit, integration, browser) and ends in a
// line 'N passed, N failed'. Arguments go on to vitest.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withDebianPostgres } from "./debian-postgres.mjs";
import { root, setUpOrExit } from "./setup.mjs";

const resultsFile = join(root, "test-artifacts/results.json");

await setUpOrExit("test", "setting up for the tests");
mkdirSync(join(root, "test-artifacts"), { recursive: true });

/** Runs vitest; returns what it counted. */
function runTests(args, env = {}) {
  rmSync(resultsFile, { force: true });
  const run = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${resultsFile}`,
      ...args,
    ],
    { cwd: root, stdio: "inherit", env: { ...process.env, ...env } },
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
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + brokenFiles,
    skipped: results.numPendingTests + results.numTodoTests,
    ok: run.status === 0,
  };
}

/** The storage tests run on the embedded PostgreSQL with all others, and once more on Debian's. */
const STORAGE_TESTS = [
  "packages/platform/src/store",
  "services/ingest/src/adapters/postgres",
  "services/ingest/src/events",
  "services/ingest/src/dead-letter",
  "services/analytics/src/adapters/postgres",
  "services/api/src/adapters/postgres",
];

const given = process.argv.slice(2);
const runs = [runTests(given)];
if (given.length === 0) {
  const onDebian = await withDebianPostgres((databaseUrl, version) => {
    console.log(`\nThe storage tests once more, on Debian's PostgreSQL ${version}`);
    return runTests(STORAGE_TESTS, { TEST_DATABASE_URL: databaseUrl });
  });
  runs.push(onDebian);
}
const sum = (field) => runs.reduce((total, run) => total + run[field], 0);
const [passed, failed, skipped] = ["passed", "failed", "skipped"].map(sum);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 || runs.some(({ ok }) => !ok) || passed === 0 ? 1 : 0);
