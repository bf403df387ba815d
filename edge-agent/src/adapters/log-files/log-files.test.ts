import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogFiles, logFilesIn } from "./log-files.ts";

describe("log files", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-logs-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });
  const lines = async (): Promise<string> => {
    const texts = await Promise.all(logFilesIn(folder).map(({ file }) => readFile(file, "utf8")));
    return texts.join("");
  };

  test("keep the newest lines within their size, readable for the agent alone", async () => {
    const logs = new LogFiles(folder, 8 * 1024);
    for (let i = 0; i < 400; i++) {
      logs.write(`${JSON.stringify({ i, text: "x".repeat(80) })}\n`);
      if (i % 10 === 9) await logs.newest(1);
    }
    await logs.close();
    const files = logFilesIn(folder);
    expect(files.length).toBeLessThanOrEqual(8);
    const sizes = await Promise.all(files.map(async ({ file }) => (await stat(file)).size));
    expect(sizes.reduce((a, b) => a + b, 0)).toBeLessThan(8 * 1024 + 8 * 1024);
    expect((await stat(files[0]?.file ?? "")).mode & 0o777).toBe(0o600);
    const kept = (await lines())
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { i: number }).i);
    expect(kept.at(-1)).toBe(399);
    expect(kept).toEqual(kept.map((_, k) => (kept[0] ?? 0) + k));
  });

  test("go on in the last file after a restart", async () => {
    for (const i of [1, 2]) {
      const logs = new LogFiles(folder);
      logs.write(`${i}\n`);
      await logs.close();
    }
    expect(logFilesIn(folder)).toHaveLength(1);
    expect(await lines()).toBe("1\n2\n");
  });

  test("give the newest whole lines, over the bounds of files", async () => {
    const logs = new LogFiles(folder, 800);
    for (let i = 10; i < 60; i++) {
      logs.write(`line ${i}\n`);
      if (i % 5 === 0) await logs.newest(1);
    }
    const newest = (await logs.newest(200)).toString();
    await logs.close();
    expect(newest.length).toBeLessThanOrEqual(200);
    expect(newest.length).toBeGreaterThan(180);
    expect(newest.split("\n").slice(-3)).toEqual(["line 58", "line 59", ""]);
    expect(newest).toMatch(/^line \d\d\n/);
  });

  test("drop what the disk cannot take up, and say how much", async () => {
    const logs = new LogFiles(folder);
    const line = `${"x".repeat(64 * 1024)}\n`;
    for (let i = 0; i < 40; i++) logs.write(line);
    await logs.close();
    const kept = (await lines()).trimEnd().split("\n");
    expect(kept.length).toBeLessThan(18);
    expect(JSON.parse(kept.at(-1) ?? "")).toMatchObject({
      dropped: 40 - (kept.length - 1),
      msg: "log lines were lost",
    });
  });

  test("hold the last word of a process that ends at once", async () => {
    const script = `import { LogFiles } from ${JSON.stringify(new URL("log-files.ts", import.meta.url).href)};
      new LogFiles(${JSON.stringify(folder)}).write("the last word\\n"); process.exit(3);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: "ignore",
    });
    expect((await once(child, "exit"))[0]).toBe(3);
    expect(await lines()).toBe("the last word\n");
  });
});
