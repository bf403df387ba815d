// The checks that need no running system: types, lint, format, import directions, dead code.
import { spawnSync } from "node:child_process";

const checks = [
  ["types", "npm", ["run", "--silent", "typecheck"]],
  ["lint", "npm", ["run", "--silent", "lint"]],
  ["format", "npm", ["run", "--silent", "format:check"]],
  ["import directions", "npm", ["run", "--silent", "check:imports"]],
  ["dead code", "npm", ["run", "--silent", "check:dead"]],
];
const failures = [];
for (const [title, command, args] of checks) {
  const result = spawnSync(command, args, { encoding: "utf8", maxBuffer: 64 << 20 });
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
