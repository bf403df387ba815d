/** Real footage as cameras' small streams bring it. */
import { spawn } from "node:child_process";
import type { AccessUnit } from "@huishi/contracts";
import { FlvDemuxer } from "@huishi/media";

/** The video as a camera's small stream: H.264, at most 640x360, a keyframe every two seconds. */
export async function encodeClip(video: string): Promise<AccessUnit[]> {
  const filter = "scale=640:360:force_original_aspect_ratio=decrease:force_divisible_by=2";
  const codec =
    "-c:v libx264 -preset veryfast -tune zerolatency -bf 0 -pix_fmt yuv420p -force_key_frames expr:gte(t,n_forced*2)";
  const child = spawn(
    "ffmpeg",
    ["-v", "error", "-i", video, "-an", "-vf", filter, ...codec.split(" "), "-f", "flv", "pipe:1"],
    { stdio: ["ignore", "pipe", "inherit"] },
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
        capturedAtMs: 0,
        ptsMs,
        data: annexB,
      });
    }
  }
  return units;
}

/** Where each of so many cameras begins: every one at another keyframe of the clip. */
export function startsOf(clip: readonly AccessUnit[], cameras: number): number[] {
  const keyframes = clip.flatMap((unit, index) => (unit.keyframe ? [index] : []));
  return Array.from(
    { length: cameras },
    (_, index) => keyframes[Math.floor((index * keyframes.length) / cameras)] ?? 0,
  );
}

/** Plays the clip in real time, round and round; capture times are the wall clock's. */
export async function playClip(
  clip: readonly AccessUnit[],
  { from, seconds }: { readonly from: number; readonly seconds: number },
  push: (unit: AccessUnit) => void,
): Promise<void> {
  const startMs = Date.now();
  const ordered = [...clip.slice(from), ...clip.slice(0, from)];
  const frameMs = frameMsOf(clip);
  for (let i = 0; i * frameMs < seconds * 1000; i++) {
    const atMs = startMs + i * frameMs;
    const waitMs = atMs - Date.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    push({ ...(ordered[i % ordered.length] as AccessUnit), capturedAtMs: Math.round(atMs) });
  }
}

function frameMsOf(clip: readonly AccessUnit[]): number {
  return ((clip.at(-1)?.ptsMs ?? 0) - (clip[0]?.ptsMs ?? 0)) / Math.max(clip.length - 1, 1);
}
