// The checks that need no running system: types, lint, format, import directions, dead code.
import { spawnSync } from "node:child_process";

const checks = [
  ["types", "typecheck"],
  ["lint", "lint"],
  ["format", "format:check"],
  ["import directions", "check:imports"],
  ["dead code", "check:dead"],
];
const failures = [];
for (const [title, script] of checks) {
  const result = spawnSync("npm", ["run", "--silent", script], { encoding: "utf8", maxBuffer: 64 << 20 });
  console.log(`${result.status === 0 ? "ok    " : "FAILED"} ${title}`);
  if (result.status !== 0) {
    failures.push(title);
    console.log(`${result.stdout}${result.stderr}`);
  }
}
if (failures.length > 0) {
  console.error(`Failed: ${failures.join(", ")}`);
  process.exit(1);
}
