/** Real H.264 access units for tests, made by the real ffmpeg. */
import { spawn } from "node:child_process";
import type { AccessUnit } from "@huishi/contracts";
import { FlvDemuxer } from "@huishi/media";

export interface ClipOptions {
  /** ffmpeg input arguments; default: a moving test picture of `size`. */
  readonly input?: readonly string[];
  readonly size?: string;
  readonly fps?: number;
  readonly seconds?: number;
  readonly startMs?: number;
}

/** Encodes a clip and returns its access units as a camera's stream would bring them. */
export async function encodeClip(options: ClipOptions = {}): Promise<AccessUnit[]> {
  const { size = "320x180", fps = 25, seconds = 2, startMs = 1_700_000_000_000 } = options;
  const input = options.input ?? ["-f", "lavfi", "-i", `testsrc=size=${size}:rate=${fps}`];
  const codec = [
    "-an",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-bf",
    "0",
    "-g",
    "25",
    "-pix_fmt",
    "yuv420p",
  ];
  const child = spawn(
    "ffmpeg",
    ["-v", "error", ...input, "-t", String(seconds), ...codec, "-f", "flv", "pipe:1"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const demuxer = new FlvDemuxer();
  const units: AccessUnit[] = [];
  for await (const chunk of child.stdout) {
    for (const { annexB, keyframe, ptsMs } of demuxer.push(chunk as Buffer)) {
      units.push({
        codec: "h264",
        keyframe,
        discontinuity: false,
        unitNumber: units.length,
        capturedAtMs: startMs + ptsMs,
        ptsMs,
        data: annexB,
      });
    }
  }
  return units;
}

/** Resolves when `condition` holds; rejects with `what` after a generous while. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition();) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
