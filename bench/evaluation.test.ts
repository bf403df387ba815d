import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseMot } from "../services/analytics/src/eval/index.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
if (!hasFfmpeg) process.stderr.write("skipped: ffmpeg is not here\n");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "huishi-evaluation-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text?: string): string => {
  const full = path.join(folder, name);
  if (text !== undefined) writeFileSync(full, text);
  return full;
};

/** Runs a tool to its end; resolves to its exit status and what it wrote. */
function run(tool: "tracks" | "video", ...options: string[]) {
  return new Promise<{ status: number; stdout: string; stderr: string }>((resolve) => {
    const tsx = path.join(ROOT, "node_modules/tsx/dist/cli.mjs");
    const command = [tsx, "--conditions=huishi-source", `bench/eval-${tool}.ts`, ...options];
    execFile(process.execPath, command, { cwd: ROOT, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const walk = (frames: readonly number[]) =>
  frames.map((frame) => `${frame},-1,${100 + 2 * frame},50,40,100,0.9\n`).join("");

describe("eval:tracks", () => {
  it("writes tracks for detections without ground truth", async () => {
    const det = file("det.txt", walk([1, 2, 3, 4, 5, 6]));
    const { status, stdout } = await run("tracks", "--det", det, "--out", file("out.txt"));
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("ms/frame") });
    const rows = parseMot(readFileSync(file("out.txt"), "utf8"));
    expect(rows.map((row) => [row.frame, row.id])).toEqual([2, 3, 4, 5, 6].map((frame) => [frame, 1]));
  });

  it("does not miss anybody in frames that a decimated file leaves out", async () => {
    const det = file("third.txt", walk([1, 4, 7, 10, 13]));
    await run("tracks", "--det", det, "--out", file("out.txt"));
    const rows = parseMot(readFileSync(file("out.txt"), "utf8"));
    expect(rows.map((row) => [row.frame, row.id])).toEqual([4, 7, 10, 13].map((frame) => [frame, 1]));
  });

  it("answers bad input in one coded line", async () => {
    const damaged = file("damaged.txt", `${walk([1, 2])}3,-1,,50,40,100,0.9\n`);
    const missing = file("missing.txt");
    const out = file("out.txt");
    for (const [options, line] of [
      [["--det", damaged, "--out", out], /^MOT_FILE_INVALID: \S+damaged\.txt line 3 [^\n]+\n$/],
      [["--det", missing, "--out", out], /^EVAL_FILE_UNREADABLE: \S+missing\.txt [^\n]+\n$/],
      [["--det", damaged], /^EVAL_USAGE: [^\n]+\n$/],
    ] as const) {
      expect(await run("tracks", ...options)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(line),
      });
    }
  });
});

describe.skipIf(!hasFfmpeg)("eval:video", () => {
  it("answers bad input in one coded line", async () => {
    const sound = file("sound.wav");
    const make = ["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-y", sound];
    expect(spawnSync("ffmpeg", make).status).toBe(0);
    const text = file("text.mp4", "no video");
    const out = file("out.txt");
    for (const [options, line] of [
      [["--video", sound, "--out", out], /^VIDEO_STREAM_MISSING: \S+sound\.wav [^\n]+\n$/],
      [["--video", text, "--out", out], /^VIDEO_UNREADABLE: [^\n]+\n$/],
      [["--video", file("none.mp4"), "--out", out], /^EVAL_FILE_UNREADABLE: [^\n]+\n$/],
      [["--video", text, "--bounds", "large", "--out", out], /^EVAL_USAGE: [^\n]+\n$/],
    ] as const) {
      expect(await run("video", ...options)).toMatchObject({
        status: 2,
        stderr: expect.stringMatching(line),
      });
    }
  });
});
