/** A short H.264 clip as access units, and one of its frames as JPEG: made by ffmpeg, played by the fake server. */
import { isKeyframe, joinAnnexB, NAL, nalType, splitNals } from "@huishi/media";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const OUTPUT = { encoding: "buffer", maxBuffer: 256 << 20 } as const;

export interface Clip {
  readonly fps: number;
  readonly units: readonly { readonly data: Uint8Array; readonly keyframe: boolean }[];
  readonly jpeg: Uint8Array;
}

/** @param file a video to play instead of the generated test picture */
export async function makeClip(options: { seconds: number; fps: number; file?: string }): Promise<Clip> {
  const { seconds, fps, file } = options;
  const lavfi = `testsrc2=size=640x360:rate=${String(fps)}:duration=${String(seconds)}`;
  const input = file ? ["-i", file, "-t", String(seconds)] : ["-f", "lavfi", "-i", lavfi];
  const quiet = ["-hide_banner", "-loglevel", "error"];
  const encoder = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"];
  const shape = [
    "-vf",
    "scale=640:-2",
    "-r",
    String(fps),
    "-g",
    String(fps),
    "-bf",
    "0",
    "-x264-params",
    "aud=1",
  ];
  const [video, still] = await Promise.all([
    run("ffmpeg", [...quiet, ...input, "-an", ...encoder, ...shape, "-f", "h264", "-"], OUTPUT),
    run("ffmpeg", [...quiet, ...input, "-frames:v", "1", "-vf", "scale=640:-2", "-f", "mjpeg", "-"], OUTPUT),
  ]);
  return { fps, units: cutUnits(video.stdout), jpeg: still.stdout };
}

/** One access unit begins at each delimiter (ITU-T H.264 7.4.1.2.3). */
function cutUnits(annexB: Uint8Array): Clip["units"] {
  const units: Uint8Array[][] = [];
  for (const nal of splitNals(annexB)) {
    if (nalType(nal) === NAL.aud) units.push([]);
    else units.at(-1)?.push(nal);
  }
  return units.map((nals) => {
    const data = joinAnnexB(nals);
    return { data, keyframe: isKeyframe(data) };
  });
}
