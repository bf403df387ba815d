// Real footage, and faults made of it: which are told, and what is told that is no fault.
import type { LumaPicture } from "./measure.ts";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PictureJudge } from "./picture-judge.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../..");
const folder = process.env["HUISHI_MEDIA"] ?? join(root, "../shared/media");
const SIZE = 320 * 180;
const SAMPLE_MS = 5_000;
const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
const CLIPS = [
  "vtest.avi",
  "car-detection.mp4",
  "person-bicycle-car-detection.mp4",
  "vehicle_counting_input.mp4",
  ...["625_201707211410", "625_201709211001", "815_201707211414"].map((name) => `street/${name}.mp4`),
].filter((name) => hasFfmpeg && existsSync(join(folder, name)));
if (CLIPS.length === 0) process.stderr.write("skipped, no footage or no ffmpeg: set HUISHI_MEDIA\n");

/** About 40 pictures over the clip, through H.264 as a camera would send them. */
function pictures(name: string, filter: string): LumaPicture[] {
  const encoded = execFileSync(
    "ffmpeg",
    `-hide_banner -loglevel error -i ${join(folder, name)} -t 40 -an -vf fps=4,scale=640:360,${filter} -c:v libx264 -preset ultrafast -crf 26 -g 1 -frames:v 40 -f h264 pipe:1`.split(
      " ",
    ),
    { maxBuffer: 1e9 },
  );
  const raw = execFileSync(
    "ffmpeg",
    "-hide_banner -loglevel error -f h264 -i pipe:0 -vf scale=320:180:flags=area,format=gray -f rawvideo pipe:1".split(
      " ",
    ),
    { input: encoded, maxBuffer: 1e9 },
  );
  const count = Math.floor(raw.length / SIZE);
  return Array.from({ length: count }, (_, i) => ({
    width: 320,
    height: 180,
    pixels: new Uint8Array(raw.subarray(i * SIZE, (i + 1) * SIZE)),
  }));
}

/** Faults told over 40 good samples, then over 12 (a minute) of the changed ones. */
function told(
  good: readonly LumaPicture[],
  changed: readonly LumaPicture[],
): { before: string[]; during: string[] } {
  const judge = new PictureJudge();
  const seen = (list: readonly LumaPicture[], fromMs: number): string[] => {
    const faults = new Set<string>();
    list.forEach((picture, i) => {
      judge.sample(picture, fromMs + i * SAMPLE_MS);
      for (const { fault } of judge.faults) faults.add(fault);
    });
    return [...faults];
  };
  const before = seen(good, 0);
  const repeated = Array.from({ length: 13 }, (_, i) => changed[i % changed.length] as LumaPicture);
  return { before, during: seen(repeated, good.length * SAMPLE_MS) };
}

const FAULTS = [
  ["blurred", "gblur=sigma=6"],
  ["black", "lutyuv=y=16:u=128:v=128"],
  ["moved_view", "crop=480:270:140:70,scale=640:360"],
  ["occluded", "drawbox=x=0:y=0:w=420:h=360:color=gray:t=fill"],
  ["frozen", "loop=loop=60:size=1:start=0"],
] as const;
/** Known to be missed: a soft picture of bare tarmac that cars fill now and then has no steady sharpness to fall. */
const MISSED = new Set(["car-detection.mp4 blurred"]);
const HARMLESS = [
  ["darker", "eq=brightness=-0.15:contrast=0.8"],
  ["brighter", "eq=brightness=0.12:contrast=1.15"],
  ["noise", "noise=alls=12:allf=t"],
  ["shake of two pixels", "crop=636:356:2+2*sin(n):2+2*cos(n),scale=640:360"],
] as const;

describe.skipIf(CLIPS.length === 0)("picture faults in real footage", () => {
  const table: string[] = [];
  test.each(CLIPS)("%s", { timeout: 120_000 }, (name) => {
    const inOrder = pictures(name, "null");
    // Samples 5 s apart have little to do with one another: neighbours of a short clip are taken apart.
    const good = inOrder.map((_, i) => inOrder[(i * 17) % inOrder.length] as LumaPicture);
    const line = FAULTS.map(([fault, filter]) => {
      const { before, during } = told(good, pictures(name, filter));
      expect(before, `${name}: told before ${fault} began`).toEqual([]);
      if (MISSED.has(`${name} ${fault}`)) return `${fault}:missed`;
      expect(during.length, `${name}: ${fault} was not told within a minute`).toBeGreaterThan(0);
      return `${fault}:${during.join("+") || "-"}${before.length > 0 ? `(before ${before.join("+")})` : ""}`;
    });
    const harmless = HARMLESS.map(([label, filter]) => {
      const { during } = told(good, pictures(name, filter));
      expect(during, `${name}: ${label} is no fault`).toEqual([]);
      return `${label}:-`;
    });
    table.push(`${name} ${line.join(" ")} | ${harmless.join(" ")}`);
    process.stdout.write(`${table.at(-1)}\n`);
    expect(good.length).toBeGreaterThan(8);
  });
});
