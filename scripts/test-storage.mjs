// `DATABASE_URL=postgres://... npm run test:storage [-- --no-bench]`: the storage tests and benchmarks against one
// server, in whatever mode it is (TimescaleDB with all features, its Apache edition, plain PostgreSQL). The role must
// be allowed to create databases; every test and benchmark makes its own and drops it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./setup.mjs";

const databaseUrl = process.env.DATABASE_URL;
if (!databaseUrl) {
  console.error("Set DATABASE_URL to a server on which databases may be created.");
  process.exit(2);
}
const tests = [
  "packages/platform/src/postgres",
  "packages/platform/src/store",
  "services/ingest/src",
  "services/analytics/src/adapters/postgres",
  "services/api/src/adapters/postgres",
];
const benches = ["bench:writer", "bench:ingest", "bench:queries"];

function run(command, args, env) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  return result.status === 0;
}

const vitest = join(root, "node_modules/vitest/vitest.mjs");
let ok = run(process.execPath, [vitest, "run", ...tests], { TEST_DATABASE_URL: databaseUrl });
if (!process.argv.includes("--no-bench")) {
  for (const bench of benches) ok = run("npm", ["run", "--silent", bench]) && ok;
}
process.exit(ok ? 0 : 1);
