import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { extractParameterSets } from "./annexb.ts";
import { MediaError } from "./errors.ts";
import { parseSps } from "./sps.ts";
import { encodeTestClip, runProgram } from "./test-support/ffmpeg.ts";

async function encodeSps(size: string, profile: string, extra: readonly string[] = []): Promise<Uint8Array> {
  const command = `-hide_banner -loglevel error -f lavfi -i color=size=${size}:rate=5 -frames:v 1 -c:v libx264 -preset fast -pix_fmt yuv420p -profile:v ${profile}`;
  const clip = await runProgram("ffmpeg", [...command.split(" "), ...extra, "-f", "h264", "pipe:1"]);
  const found = extractParameterSets(clip);
  if (!found) throw new Error("ffmpeg wrote no parameter sets");
  return found.sps;
}

describe("parseSps", () => {
  it.each([
    ["640x360", "baseline", 66],
    ["1920x1080", "main", 77],
    ["1280x720", "high", 100],
    ["322x182", "high", 100],
  ])("reads size and profile of x264's %s %s", async (size, profile, idc) => {
    const info = parseSps(await encodeSps(size, profile));
    expect(`${info.width}x${info.height}`).toBe(size);
    expect(info.profile).toBe(idc);
    expect(info.codecString).toMatch(/^avc1\.[0-9a-f]{6}$/);
  });

  it("reads interlaced pictures and names the level", async () => {
    const info = parseSps(
      await encodeSps("720x480", "high", ["-level", "3.1", "-x264-params", "interlaced=1"]),
    );
    expect(info).toMatchObject({
      width: 720,
      height: 480,
      level: 31,
      codecString: "avc1.64001f",
      chromaFormat: 1,
      bitDepthLuma: 8,
      bitDepthChroma: 8,
    });
  });

  describe("given damage", () => {
    let sps: Uint8Array;
    beforeAll(async () => {
      const found = extractParameterSets(await encodeTestClip("h264", 1));
      sps = (found as { sps: Uint8Array }).sps;
    });

    const parsesOrRefuses = (candidate: Uint8Array): void => {
      try {
        const info = parseSps(candidate);
        expect(info.width).toBeGreaterThan(0);
        expect(info.width).toBeLessThanOrEqual(1055 * 16);
        expect(info.height).toBeLessThanOrEqual(1055 * 16);
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
        expect(error).toMatchObject({ code: "SPS_INVALID" });
      }
    };

    it("refuses arbitrary bytes with SPS_INVALID, never a crash", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (tail) =>
          parsesOrRefuses(Uint8Array.from([0x67, ...tail])),
        ),
        { numRuns: 500 },
      );
      expect(() => parseSps(new Uint8Array(0))).toThrow(MediaError);
    });

    it("refuses or survives any flipped byte and any truncation of a real SPS", () => {
      fc.assert(
        fc.property(fc.nat(200), fc.nat(255), fc.nat(200), (index, value, length) => {
          const copy = sps.slice(0, length);
          if (index < copy.length) copy[index] = value;
          parsesOrRefuses(copy);
        }),
      );
    });
  });
});
