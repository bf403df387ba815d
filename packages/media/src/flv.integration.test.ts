import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { NAL, extractParameterSets, isKeyframe, nalType, splitNals } from "./annexb.ts";
import { concatBytes } from "./bytes.ts";
import { MediaError } from "./errors.ts";
import { FlvDemuxer, type TimedAccessUnit } from "./flv-demuxer.ts";
import { FlvMuxer } from "./flv-muxer.ts";
import { encodeTestClip, runProgram } from "./test-support/ffmpeg.ts";

function demux(flv: Uint8Array, cuts: readonly number[] = []): TimedAccessUnit[] {
  const demuxer = new FlvDemuxer();
  const units: TimedAccessUnit[] = [];
  let from = 0;
  for (const cut of [...cuts.map((cut) => cut % (flv.length + 1)).sort((a, b) => a - b), flv.length]) {
    units.push(...demuxer.push(flv.subarray(from, cut)));
    from = cut;
  }
  return units;
}

/** NAL units apart from delimiters, which FLV leaves out. */
function nalHashes(unit: TimedAccessUnit): string[] {
  return splitNals(unit.annexB)
    .filter((nal) => nalType(nal) !== NAL.aud)
    .map((nal) => createHash("sha1").update(nal).digest("hex"));
}

/** Short text for each picture: comparing large arrays byte by byte is slow in a test. */
function summarise(units: readonly TimedAccessUnit[]): string[] {
  return units.map((unit) => {
    const hash = createHash("sha1").update(unit.annexB).digest("hex");
    return `${unit.keyframe} ${unit.dtsMs} ${unit.ptsMs} ${hash}`;
  });
}

function mux(units: readonly TimedAccessUnit[]): Uint8Array {
  const muxer = new FlvMuxer();
  return concatBytes(units.map((unit) => muxer.write(unit)));
}

describe("FLV from and to the real ffmpeg", () => {
  let flv: Uint8Array;
  let reordered: Uint8Array;
  beforeAll(async () => {
    flv = await encodeTestClip("flv", 30);
    reordered = await encodeTestClip("flv", 30, ["-bf", "2", "-x264-params", "b-adapt=0"]);
  });

  it("gives every picture with its time, keyframes with their parameter sets", () => {
    const units = demux(flv);
    expect(units).toHaveLength(30);
    expect(units.map((unit) => unit.ptsMs)).toEqual(Array.from({ length: 30 }, (_, index) => index * 40));
    expect(units.filter((unit) => unit.keyframe)).toHaveLength(3);
    for (const unit of units) {
      expect(isKeyframe(unit.annexB)).toBe(unit.keyframe);
      if (unit.keyframe) expect(extractParameterSets(unit.annexB)).toBeDefined();
    }
  });

  it("keeps decode and presentation time apart when pictures are reordered", () => {
    const units = demux(reordered);
    const times = units.map((unit) => unit.ptsMs);
    expect(times).not.toEqual(times.toSorted((a, b) => a - b));
    const first = Math.min(...times);
    expect(times.map((time) => time - first).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, index) => index * 40),
    );
  });

  it("gives the same pictures however the bytes are cut", () => {
    const whole = summarise(demux(flv));
    const everyByte = Array.from({ length: flv.length }, (_, index) => index);
    expect(summarise(demux(flv, everyByte))).toEqual(whole);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), (cuts) => {
        expect(summarise(demux(flv, cuts))).toEqual(whole);
      }),
      { numRuns: 50 },
    );
  });

  it("writes FLV that ffmpeg decodes with the same times", async () => {
    for (const source of [flv, reordered]) {
      const units = demux(source);
      const written = mux(units);
      const again = demux(written);
      expect(again.map(nalHashes)).toEqual(units.map(nalHashes));
      const shown = await runProgram(
        "ffprobe",
        ["-v", "error", "-f", "flv", "-i", "pipe:0", "-show_entries", "frame=pts_time", "-of", "csv=p=0"],
        written,
      );
      const seconds = shown
        .toString()
        .trim()
        .split("\n")
        .map((line) => Number.parseFloat(line))
        .filter((value) => !Number.isNaN(value));
      const expected = units.map((unit) => unit.ptsMs).sort((a, b) => a - b);
      expect(seconds.map((value) => Math.round(value * 1000))).toEqual(expected);
    }
  });

  it("waits for the first keyframe before it writes anything", () => {
    const units = demux(flv);
    expect(mux(units.slice(1, 5))).toHaveLength(0);
    expect(demux(mux(units.slice(5)))).toHaveLength(20);
  });

  it("goes on counting when the 31-bit time wraps", () => {
    const [first] = demux(flv) as [TimedAccessUnit];
    const muxer = new FlvMuxer();
    const times = [0, 2 ** 31 - 40, 2 ** 31, 2 ** 31 + 40];
    const bytes = concatBytes(times.map((ptsMs) => muxer.write({ ...first, ptsMs, dtsMs: ptsMs })));
    expect(demux(bytes).map((unit) => unit.ptsMs)).toEqual(times);
  });

  it("answers garbage and damage with a coded error, and stays failed", () => {
    const codes = new Set(["FLV_INVALID", "FLV_TAG_TOO_LARGE", "FLV_UNSUPPORTED_CODEC", "NAL_INVALID"]);
    const attempt = (bytes: Uint8Array): void => {
      const demuxer = new FlvDemuxer();
      try {
        demuxer.push(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(MediaError);
        expect(codes).toContain((error as MediaError).code);
        expect(() => demuxer.push(flv)).toThrow(error as MediaError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => attempt(garbage)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) =>
        attempt(concatBytes([flv.subarray(0, 13), garbage])),
      ),
    );
    fc.assert(
      fc.property(fc.nat(flv.length - 1), fc.nat(255), (index, value) => {
        const copy = Uint8Array.from(flv);
        copy[index] = value;
        attempt(copy);
      }),
    );
  });

  it("refuses a tag beyond the bound before it is buffered", () => {
    const demuxer = new FlvDemuxer({ maxTagBytes: 1000 });
    demuxer.push(flv.subarray(0, 13));
    expect(() => demuxer.push(Uint8Array.of(9, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0))).toThrow(
      expect.objectContaining({ code: "FLV_TAG_TOO_LARGE" }),
    );
  });

  it("names another codec than H.264", async () => {
    const sorenson = await runProgram(
      "ffmpeg",
      "-hide_banner -loglevel error -f lavfi -i testsrc=size=160x120:rate=5 -frames:v 3 -c:v flv1 -f flv pipe:1".split(
        " ",
      ),
    );
    expect(() => demux(sorenson)).toThrow(expect.objectContaining({ code: "FLV_UNSUPPORTED_CODEC" }));
  });
});
