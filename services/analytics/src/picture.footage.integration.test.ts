// Faults made of real footage, as the analysis sees it: RGB frames, its own small luma, five frames a second.
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { SmallLuma } from "./adapters/inference-process/small-luma.ts";
import { PictureLook } from "./application/picture/picture-look.ts";
import { findFootage } from "./test-support/footage.ts";

const SIZE = { width: 640, height: 360 };
const FRAME_BYTES = SIZE.width * SIZE.height * 3;
const CLIPS = ["vtest.avi"];
const FAULTS = [
  ["blurred", "gblur=sigma=6"],
  ["black", "lutyuv=y=16:u=128:v=128"],
  ["moved_view", "crop=480:270:140:70,scale=640:360"],
  ["occluded", "drawbox=x=0:y=0:w=420:h=360:color=gray:t=fill"],
  ["frozen", "loop=loop=60:size=1:start=0"],
] as const;
const HARMLESS = ["null", "eq=brightness=-0.15:contrast=0.8", "noise=alls=12:allf=t"];

/** About 30 frames over the clip, through H.264 as a camera would send them. */
function frames(file: string, filter: string): Uint8Array[] {
  const run = (args: string, input?: Buffer): Buffer =>
    spawnSync("ffmpeg", `-v error ${args}`.split(" "), { maxBuffer: 1e9, ...(input && { input }) }).stdout;
  const h264 = run(
    `-i ${file} -t 40 -an -vf fps=1,scale=640:360,${filter} -c:v libx264 -preset ultrafast -crf 26 -g 1 -frames:v 30 -f h264 pipe:1`,
  );
  const raw = run("-f h264 -i pipe:0 -f rawvideo -pix_fmt rgb24 pipe:1", h264);
  return Array.from({ length: Math.floor(raw.length / FRAME_BYTES) }, (_, i) =>
    raw.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES),
  );
}

/** Faults told over 30 good looks, then over 12 (a minute) of the changed ones. */
function told(
  good: readonly Uint8Array[],
  changed: readonly Uint8Array[],
): { before: string[]; during: string[] } {
  const look = new PictureLook();
  const luma = new SmallLuma(SIZE);
  const seen = (list: readonly Uint8Array[], fromMs: number, count: number): string[] => {
    const faults = new Set<string>();
    for (let i = 0; i < count; i++) {
      const data = list[i % list.length] as Uint8Array;
      const picture = () => ({
        width: luma.width,
        height: luma.height,
        pixels: luma.update({ data, ...SIZE }),
      });
      for (const { fault } of look.at(fromMs + i * 5_000, picture)?.faults ?? []) faults.add(fault);
    }
    return [...faults];
  };
  return { before: seen(good, 0, 30), during: seen(changed, 150_000, 13) };
}

const found = CLIPS.flatMap((name) => findFootage(name) ?? []);
describe.skipIf(found.length === 0)("picture faults as the analysis sees them", () => {
  test.each(found)("%s", { timeout: 120_000 }, (file) => {
    const inOrder = frames(file, "null");
    // Looks are five seconds apart and have little to do with one another: neighbours of a short clip are taken apart.
    const good = inOrder.map((_, i) => inOrder[(i * 7) % inOrder.length] as Uint8Array);
    for (const [fault, filter] of FAULTS) {
      const { before, during } = told(good, frames(file, filter));
      expect(before, `told before ${fault} began`).toEqual([]);
      expect(during, `${fault} was not told within a minute`).toContain(fault);
    }
    for (const filter of HARMLESS) expect(told(good, frames(file, filter)).during, filter).toEqual([]);
  });
});
