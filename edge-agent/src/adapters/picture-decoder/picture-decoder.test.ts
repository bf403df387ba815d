import { isKeyframe, joinAnnexB, splitNals } from "@huishi/media";
import { execFileSync, spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { FfmpegPictureDecoder } from "./picture-decoder.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
if (!hasFfmpeg) process.stderr.write("skipped, ffmpeg is not installed: the picture decoder\n");

/** One keyframe of one flat grey, or of moving bars. */
function keyframe(source: string, codec: "h264" | "h265" = "h264"): Uint8Array {
  const encoder = codec === "h264" ? "libx264" : "libx265";
  const args = `-hide_banner -loglevel error -f lavfi -i ${source} -frames:v 1 -pix_fmt yuv420p -c:v ${encoder} -f ${codec === "h264" ? "h264" : "hevc"} pipe:1`;
  return execFileSync("ffmpeg", args.split(" "), { stdio: ["ignore", "pipe", "ignore"] });
}

const grey = (level: number, size = "640x360"): Uint8Array => {
  const two = level.toString(16).padStart(2, "0");
  return keyframe(`color=c=0x${two}${two}${two}:s=${size}`);
};
const mean = (pixels: Uint8Array): number => pixels.reduce((sum, value) => sum + value, 0) / pixels.length;

/** Bits flipped with a given chance, by a generator that gives the same every time. */
function damaged(bytes: Uint8Array, chance: number, seed: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  let state = seed;
  for (let bit = 0; bit < out.length * 8; bit++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    if (state / 2 ** 32 < chance) out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7));
  }
  return out;
}

describe.skipIf(!hasFfmpeg)("FfmpegPictureDecoder", () => {
  let decoder = new FfmpegPictureDecoder();
  afterEach(() => {
    decoder.close();
    decoder = new FfmpegPictureDecoder();
  });
  const ask = (cameraId: string, annexB: Uint8Array, codec: "h264" | "h265" = "h264") =>
    decoder.decode({ cameraId, codec, annexB });

  test("gives each camera its own picture, whatever the sizes and the order", async () => {
    const levels = [40, 100, 220, 100, 40, 40, 220, 160, 100, 160];
    for (const [i, level] of levels.entries()) {
      const picture = await ask(`cam-${level}`, grey(level, i % 2 ? "640x360" : "1280x720"));
      expect(picture?.pixels).toHaveLength(320 * 180);
      expect(Math.abs(mean(picture?.pixels ?? new Uint8Array(1)) - level)).toBeLessThan(3);
    }
    expect(decoder.counts).toEqual({ failed: 0, skipped: 0, restarts: 0 });
  });

  test("H.265 as well", async () => {
    const picture = await ask("cam", keyframe("color=c=0xa0a0a0:s=640x360", "h265"), "h265");
    expect(Math.abs(mean(picture?.pixels ?? new Uint8Array(1)) - 160)).toBeLessThan(3);
  });

  test.each([1e-4, 1e-3, 1e-2, 1e-1])(
    "a camera with bits flipped at %f never gets another one's place",
    { timeout: 60_000 },
    async (chance) => {
      const bars = keyframe("testsrc=size=640x360");
      const good = grey(160);
      for (let seed = 1; seed <= 12; seed++) {
        void ask(`bad-${seed}`, damaged(bars, chance, seed));
        const picture = await ask("good", good);
        expect(Math.abs(mean(picture?.pixels ?? new Uint8Array(1)) - 160)).toBeLessThan(3);
      }
    },
  );

  test("a picture of 16384x8192 is not given to the decoder", async () => {
    const huge = Uint8Array.from(grey(100));
    const nals = splitNals(huge).map((nal) => (((nal[0] ?? 0) & 31) === 7 ? hugeSps() : nal));
    expect(await ask("huge", joinAnnexB(nals))).toBeNull();
    expect(decoder.counts).toEqual({ failed: 0, skipped: 1, restarts: 0 });
    expect(decoder.pids).toEqual([]);
  });

  test("neither is an H.265 one, nor one whose parameter set is damaged", async () => {
    const sound = keyframe("color=c=0x646464:s=640x360", "h265");
    // Main profile, level 6, 16384x8192.
    const huge = new Uint8Array(Buffer.from("QgEBAQAAAwAAAwAAAwAAAwAAtKAAIACAAgAX//8=", "base64"));
    const withSps = (change: (sps: Uint8Array) => Uint8Array): Uint8Array =>
      joinAnnexB(splitNals(sound).map((nal) => ((((nal[0] ?? 0) >> 1) & 63) === 33 ? change(nal) : nal)));
    expect(
      await ask(
        "huge",
        withSps(() => huge),
        "h265",
      ),
    ).toBeNull();
    expect(
      await ask(
        "broken",
        withSps((sps) => sps.subarray(0, 10)),
        "h265",
      ),
    ).toBeNull();
    expect(decoder.pids).toEqual([]);
  });

  test("a killed child costs one sample", async () => {
    const good = grey(160);
    expect(isKeyframe(good)).toBe(true);
    await ask("good", good);
    process.kill(decoder.pids[0] as number, "SIGKILL");
    await ask("good", good);
    expect(await ask("other", good)).not.toBeNull();
    expect(decoder.counts.restarts).toBe(1);
  });

  test("a camera whose keyframes fail again and again is left alone, and counted", async () => {
    const broken = Uint8Array.from(grey(100));
    const nals = splitNals(broken).filter((nal) => ((nal[0] ?? 0) & 31) !== 5);
    for (let i = 0; i < 4; i++) expect(await ask("bad", joinAnnexB(nals))).toBeNull();
    expect(decoder.counts.failed).toBe(2);
    expect(decoder.counts.skipped).toBe(2);
  });
});

/** A baseline SPS of 1024x512 macroblocks, written by hand (ITU-T H.264 7.3.2.1.1). */
function hugeSps(): Uint8Array {
  const ue = (value: number): string => {
    const code = (value + 1).toString(2);
    return "0".repeat(code.length - 1) + code;
  };
  const bits = `${ue(0)}${ue(0)}${ue(2)}${ue(1)}0${ue(1023)}${ue(511)}11001`.padEnd(96, "0");
  const body = Array.from({ length: 12 }, (_, i) => Number.parseInt(bits.slice(i * 8, i * 8 + 8), 2));
  return Uint8Array.of(0x67, 66, 0xc0, 62, ...body, 0x80);
}
