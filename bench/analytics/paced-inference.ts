/**
 * Bare inferences at the pace of cameras: three in a row, twenty such frames a second in all over the processes. After a
 * pause the same call costs more than in a loop without one: caches are cold.
 */
import { bareInference, cpuMsSince } from "./bounds.ts";

const PER_FRAME = 3;
const [everyMs = 100, seconds = 8] = process.argv.slice(2).map(Number);
const { run, close } = await bareInference();
for (let i = 0; i < 20; i++) await run();
const mark = process.cpuUsage();
const fromMs = performance.now();
let runs = 0;
for (let frame = 1; performance.now() - fromMs < seconds * 1000; frame++) {
  for (let i = 0; i < PER_FRAME; i++, runs++) await run();
  await new Promise((resolve) =>
    setTimeout(resolve, Math.max(0, fromMs + frame * everyMs - performance.now())),
  );
}
process.stdout.write(`${cpuMsSince(mark) / runs}\n`);
await close();
