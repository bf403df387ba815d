import type { PictureSize } from "./analysis-size.ts";
import { SampleGrid } from "./sample-grid.ts";

/** Pictures above 8K (7680x4320) are refused: a small file can ask for gigabytes. */
export const MAX_PIXELS = 33_177_600;
/** File descriptor on which ffmpeg prints the time of each picture that it writes to stdout. */
export const TIMES_FD = 3;

/**
 * Arguments of an ffmpeg that turns FLV on stdin into I420 pictures on stdout, and their times on `TIMES_FD`. I420 is what
 * it decodes to: half the bytes of RGB, no conversion of what nobody looks at, and nothing to scale where the size fits.
 *
 * Sampling (`SampleGrid`) happens before scaling, so that what nobody wants costs decoding only.
 * `-analyzeduration 0 -probesize 32`: FLV names its codec up front; probing would hold the first seconds back
 * (measured 4 s at 25 fps), and `-fflags nobuffer` would lose them.
 */
export function decoderArguments(size: PictureSize, sampleFps: number): string[] {
  const filters = [
    `select='${new SampleGrid(sampleFps).expression}'`,
    `scale=${size.width}:${size.height}:flags=fast_bilinear`,
    "format=yuv420p",
    // `print` says nothing about pictures without metadata.
    "metadata=mode=add:key=sampled:value=1",
    `metadata=mode=print:file='pipe\\:${TIMES_FD}':direct=1`,
  ];
  return [
    ["-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "pipe"],
    ["-analyzeduration", "0", "-probesize", "32", "-max_pixels", String(MAX_PIXELS), "-threads", "1"],
    ["-f", "flv", "-i", "pipe:0", "-map", "0:v:0", "-vf", filters.join(","), "-filter_threads", "1"],
    ["-fps_mode", "passthrough", "-flush_packets", "1", "-threads", "1", "-f", "rawvideo", "pipe:1"],
  ].flat();
}
