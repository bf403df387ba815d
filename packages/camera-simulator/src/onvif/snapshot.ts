/** JPEG pictures of a stream, made by ffmpeg from its last keyframe and kept until the next one. */
import { joinAnnexB } from "@huishi/media";
import { runToEnd } from "../source/ffmpeg.ts";
import type { Picture, VideoStream } from "../source/video-stream.ts";

const TIMEOUT_MS = 5000;
const ARGUMENTS = "-hide_banner -loglevel error -f h264 -i pipe:0 -frames:v 1 -q:v 4 -f mjpeg pipe:1".split(
  " ",
);

export class SnapshotMaker {
  readonly #stream: VideoStream;
  #made: { readonly picture: Picture; readonly jpeg: Promise<Buffer | undefined> } | undefined;

  constructor(stream: VideoStream) {
    this.#stream = stream;
  }

  /** Undefined before the first picture, or when ffmpeg cannot decode it. Many callers share one conversion. */
  async take(): Promise<Buffer | undefined> {
    const picture = this.#stream.lastKeyframe;
    if (!picture) return undefined;
    if (this.#made?.picture.nals !== picture.nals) this.#made = { picture, jpeg: convert(picture) };
    return await this.#made.jpeg;
  }
}

async function convert(picture: Picture): Promise<Buffer | undefined> {
  try {
    const finished = await runToEnd("ffmpeg", ARGUMENTS, {
      stdin: [joinAnnexB(picture.nals)],
      timeoutMs: TIMEOUT_MS,
    });
    return finished.code === 0 && finished.stdout.length > 0 ? finished.stdout : undefined;
  } catch {
    return undefined;
  }
}
