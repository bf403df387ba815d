import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { MediaError } from "./errors.ts";
import { extractH265Sps, parseH265Sps } from "./h265-sps.ts";
import { runProgram } from "./test-support/ffmpeg.ts";

async function encode(size: string, pixels: string): Promise<Uint8Array> {
  const command = `-hide_banner -loglevel error -f lavfi -i color=size=${size}:rate=5 -frames:v 2 -c:v libx265 -preset ultrafast -pix_fmt ${pixels} -x265-params log-level=none -f hevc pipe:1`;
  return runProgram("ffmpeg", command.split(" "));
}

describe("parseH265Sps", () => {
  it.each([
    ["640x360", "yuv420p", 1, 1, 8],
    ["1920x1080", "yuv420p", 1, 1, 8],
    ["322x182", "yuv420p", 1, 1, 8],
    ["1280x720", "yuv420p10le", 2, 1, 10],
    ["644x362", "yuv422p", 4, 2, 8],
    ["646x362", "yuv444p", 4, 3, 8],
  ])("reads size and format of x265's %s %s", async (size, pixels, profile, chromaFormat, bitDepthLuma) => {
    const sps = extractH265Sps(await encode(size, pixels)) as Uint8Array;
    const info = parseH265Sps(sps);
    expect(`${info.width}x${info.height}`).toBe(size);
    expect(info).toMatchObject({ profile, chromaFormat, bitDepthLuma, bitDepthChroma: bitDepthLuma });
  });

  it("reads a camera's SPS with temporal layers, made by hand", () => {
    // Three sub-layers with a level each; 1920x1088 less a window of 8 lines.
    const zeros48 = "0".repeat(48);
    const bits = [
      "00000101", // parameter set of video 0, three temporal layers, nested
      `00000001${"0".repeat(32)}${zeros48}01111000`, // Main, level 4
      `0101${"00".repeat(6)}${"01111000".repeat(2)}`, // a level for each lower layer
      "1010", // parameter set 0, 4:2:0
      `${ue(1920)}${ue(1088)}1${ue(0)}${ue(0)}${ue(0)}${ue(4)}`,
      `${ue(0)}${ue(0)}${"1".repeat(32)}`,
    ].join("");
    const bytes = bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
    // Emulation prevention (7.3.1.1), as an encoder writes it.
    const escaped: number[] = [];
    let zeros = 0;
    for (const byte of bytes) {
      if (zeros >= 2 && byte <= 3) {
        escaped.push(3);
        zeros = 0;
      }
      escaped.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    expect(parseH265Sps(Uint8Array.from([0x42, 0x01, ...escaped]))).toMatchObject({
      width: 1920,
      height: 1080,
      level: 120,
      profile: 1,
    });
  });

  describe("given damage", () => {
    let clip: Uint8Array;
    let sps: Uint8Array;
    beforeAll(async () => {
      clip = await encode("320x180", "yuv420p");
      sps = Uint8Array.from(extractH265Sps(clip) as Uint8Array);
    });

    const parsesOrRefuses = (candidate: Uint8Array): void => {
      try {
        const { width, height } = parseH265Sps(candidate);
        for (const side of [width, height]) {
          expect(side).toBeGreaterThan(0);
          expect(side).toBeLessThanOrEqual(16_888);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
        expect(error).toMatchObject({ code: "SPS_INVALID" });
      }
    };

    it("refuses or survives arbitrary bytes, flipped bytes and truncations", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (tail) =>
          parsesOrRefuses(Uint8Array.from([0x42, 0x01, ...tail])),
        ),
        { numRuns: 500 },
      );
      fc.assert(
        fc.property(fc.nat(200), fc.nat(255), fc.nat(200), (index, value, length) => {
          const copy = sps.slice(0, length);
          if (index < copy.length) copy[index] = value;
          parsesOrRefuses(copy);
        }),
      );
      expect(() => parseH265Sps(new Uint8Array(0))).toThrow(MediaError);
    });

    it("finds the parameter set before the first slice alone", () => {
      const slice = Uint8Array.from([0, 0, 1, 0x26, 0x01, 0x80]);
      const late = Uint8Array.from([...slice, 0, 0, 1, ...sps]);
      expect(extractH265Sps(late)).toBeUndefined();
      expect(extractH265Sps(Uint8Array.from([0, 0, 1, ...sps, ...slice]))).toEqual(sps);
      expect(extractH265Sps(new Uint8Array(3))).toBeUndefined();
    });
  });
});

/** Exp-Golomb code of a number. */
function ue(value: number): string {
  const binary = (value + 1).toString(2);
  return "0".repeat(binary.length - 1) + binary;
}
