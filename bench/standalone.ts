// From the start to the first live tile, and the memory of everything at rest.
//   npx tsx --conditions=huishi-source bench/standalone.ts [VIDEO]
// Needs the build (`npm run build`). Prints seconds, and megabytes by process.
import { ACCOUNT, ApiClient } from "../deploy/standalone/src/test-support/api-client.ts";
import {
  scratchFolder,
  startStandaloneProcess,
} from "../deploy/standalone/src/test-support/standalone-process.ts";
import { launchBrowser } from "../deploy/standalone/src/test-support/wall-browser.ts";
import { memoryOfTree } from "./support/process-tree.ts";

const REST_MS = 45_000;
const video = process.argv[2];
const args = video === undefined ? [] : ["--video", video];
const scratch = await scratchFolder();
const browser = await launchBrowser();
try {
  for (const run of ["first start, footage converted", "second start"]) {
    const startedMs = Date.now();
    const running = await startStandaloneProcess({ stateDir: scratch.path, args });
    const readySeconds = (Date.now() - startedMs) / 1000;
    const api = new ApiClient(running.url);
    await (running.setupUrl === null ? api.signIn() : api.setUp(running.setupUrl));
    const context = await browser.newContext();
    const [name, value] = api.cookie.split("=") as [string, string];
    await context.addCookies([{ name, value, url: running.url }]);
    const page = await context.newPage();
    await page.goto(running.url);
    await page.locator('[data-testid="tile"][data-state="live"]').first().waitFor({ timeout: 60_000 });
    console.log(
      `${run}: ready ${readySeconds.toFixed(1)} s, first live tile ${((Date.now() - startedMs) / 1000).toFixed(1)} s`,
    );
    await context.close();
    if (run === "second start") {
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      const memory = memoryOfTree(running.child.pid as number);
      for (const each of memory.processes)
        console.log(
          `  ${each.rssMb.toFixed(0).padStart(5)} MB rss ${each.pssMb.toFixed(0).padStart(5)} MB pss  ${each.name}`,
        );
      console.log(
        `at rest (user ${ACCOUNT.userName}, nobody watching): ${memory.rssMb.toFixed(0)} MB resident in all, ${memory.pssMb.toFixed(0)} MB with shared pages counted once`,
      );
    }
    await running.stop();
  }
} finally {
  await browser.close();
  await scratch.remove();
}
