// The picture watch: one decoder for all cameras, one board where its findings lie.
import { FfmpegPictureDecoder } from "./adapters/picture-decoder/picture-decoder.ts";
import { FindingsBoard } from "./application/camera-findings.ts";
import { PictureWatch, type PictureWatchOptions } from "./application/picture-watch.ts";

export interface HealthParts {
  /** Goes into the cameras' parts. */
  readonly board: FindingsBoard;
  /** A TapListener; `run` it beside the cameras. */
  readonly watch: PictureWatch;
  readonly decoder: FfmpegPictureDecoder;
}

export function composeHealth(parts: Omit<PictureWatchOptions, "decoder" | "board">): HealthParts {
  const board = new FindingsBoard();
  const decoder = new FfmpegPictureDecoder();
  return { board, decoder, watch: new PictureWatch({ ...parts, decoder, board }) };
}
