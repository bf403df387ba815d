import { describe, expect, it } from "vitest";
import { extractParameterSets, type ParameterSets } from "./annexb.ts";
import { concatBytes } from "./bytes.ts";
import { FlvDemuxer } from "./flv-demuxer.ts";
import { buildInitSegment, buildMediaSegment } from "./fmp4.ts";
import { encodeTestClip, runProgram } from "./test-support/ffmpeg.ts";

interface ProbedFrame {
  readonly pts: number;
  readonly pkt_dts: number;
  readonly key_frame: number;
  readonly pict_type: string;
}

async function writeAndProbe(
  timescale: number,
  encoder?: readonly string[],
): Promise<{ frames: ProbedFrame[]; written: number[]; size: string }> {
  const units = new FlvDemuxer().push(await encodeTestClip("flv", 25, encoder));
  const ticksPerMs = timescale / 1000;
  const base = 2 ** 33; // beyond 32 bits, as decode times of long sessions are
  const parameterSets = extractParameterSets(units[0]?.annexB ?? new Uint8Array(0)) as ParameterSets;
  const segments = units.map((unit, index) =>
    buildMediaSegment({
      sequence: index + 1,
      decodeTime: base + unit.dtsMs * ticksPerMs,
      compositionOffset: (unit.ptsMs - unit.dtsMs) * ticksPerMs,
      duration: 40 * ticksPerMs,
      keyframe: unit.keyframe,
      annexB: unit.annexB,
    }),
  );
  const file = concatBytes([buildInitSegment({ ...parameterSets, timescale }), ...segments]);
  const probe = await runProgram(
    "ffprobe",
    ["-v", "error", "-f", "mp4", "-i", "pipe:0", "-show_frames", "-show_streams", "-of", "json"],
    file,
  );
  const report = JSON.parse(probe.toString()) as {
    frames: ProbedFrame[];
    streams: Array<{ width: number; height: number }>;
  };
  const written = units.map((unit) => base + unit.ptsMs * ticksPerMs).sort((a, b) => a - b);
  return { frames: report.frames, written, size: `${report.streams[0]?.width}x${report.streams[0]?.height}` };
}

describe("fragmented MP4 read by the real ffprobe", () => {
  it.each([90_000, 1000])("has every frame at its time with timescale %i", async (timescale) => {
    const { frames, written, size } = await writeAndProbe(timescale);
    expect(size).toBe("320x180");
    expect(frames.map((frame) => frame.pts)).toEqual(written);
    expect(frames.filter((frame) => frame.key_frame === 1)).toHaveLength(3);
  });

  it("carries reordered pictures by composition offset", async () => {
    const { frames, written } = await writeAndProbe(90_000, ["-bf", "2", "-x264-params", "b-adapt=0"]);
    expect(frames.map((frame) => frame.pts)).toEqual(written);
    expect(frames.some((frame) => frame.pict_type === "B")).toBe(true);
  });

  it("refuses to describe a damaged SPS", () => {
    expect(() =>
      buildInitSegment({ sps: Uint8Array.of(0x67, 1), pps: Uint8Array.of(0x68), timescale: 1000 }),
    ).toThrow(expect.objectContaining({ code: "SPS_INVALID" }));
  });
});
