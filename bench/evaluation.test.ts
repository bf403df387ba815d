import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parseMot } from "../services/analytics/src/eval/index.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
if (!hasFfmpeg) process.stderr.write("skipped: ffmpeg is not here\n");

// Each starts a process, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

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
    execFile(process.execPath, command, { cwd: ROOT, timeout: 100_000 }, (error, stdout, stderr) => {
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

  it.each([
    ["a damaged line", "damaged.txt", /^MOT_FILE_INVALID: \S+damaged\.txt line 3 [^\n]+\n$/],
    ["a file that is not there", "missing.txt", /^EVAL_FILE_UNREADABLE: \S+missing\.txt [^\n]+\n$/],
  ])("answers %s in one coded line", async (_, name, line) => {
    file("damaged.txt", `${walk([1, 2])}3,-1,,50,40,100,0.9\n`);
    const answer = await run("tracks", "--det", file(name), "--out", file("out.txt"));
    expect(answer).toMatchObject({ status: 2, stderr: expect.stringMatching(line) });
  });

  it("says what it must be given", async () => {
    const answer = await run("tracks", "--det", file("det.txt"));
    expect(answer).toMatchObject({ status: 2, stderr: expect.stringMatching(/^EVAL_USAGE: [^\n]+\n$/) });
  });
});

describe.skipIf(!hasFfmpeg)("eval:video", () => {
  it.each([
    ["a clip without video", ["--video", "sound.wav"], /^VIDEO_STREAM_MISSING: \S+sound\.wav [^\n]+\n$/],
    ["a file that is no video", ["--video", "text.mp4"], /^VIDEO_UNREADABLE: [^\n]+\n$/],
    ["a file that is not there", ["--video", "none.mp4"], /^EVAL_FILE_UNREADABLE: [^\n]+\n$/],
    ["a wrong option", ["--bounds", "large", "--video", "text.mp4"], /^EVAL_USAGE: [^\n]+\n$/],
  ])("answers %s in one coded line", async (_, options, line) => {
    const make = ["-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-y", file("sound.wav")];
    expect(spawnSync("ffmpeg", make).status).toBe(0);
    file("text.mp4", "no video");
    const last = file(options.at(-1)!);
    const answer = await run("video", ...options.slice(0, -1), last, "--out", file("out.txt"));
    expect(answer).toMatchObject({ status: 2, stderr: expect.stringMatching(line) });
  });
});
