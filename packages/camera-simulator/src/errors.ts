import { HuishiError } from "@huishi/kernel";

export type SimulatorErrorCode =
  /** ffprobe or ffmpeg could not read a video file, or it holds no video. */
  | "VIDEO_UNREADABLE"
  /** ffmpeg or ffprobe is not installed. */
  | "FFMPEG_MISSING"
  /** The cache folder cannot be written (full disk, rights). */
  | "VIDEO_CACHE_UNWRITABLE"
  /** A port that was asked for is taken, or the address is not this machine's. */
  | "SIMULATOR_PORT_UNAVAILABLE"
  /** An encoder of a live picture ended. */
  | "ENCODER_FAILED"
  /** Options that contradict each other. */
  | "SIMULATOR_OPTIONS_INVALID";

/** A fault of the simulator that whoever started it must see. */
export class SimulatorError extends HuishiError {
  declare readonly code: SimulatorErrorCode;

  constructor(
    code: SimulatorErrorCode,
    message: string,
    options: { cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super(code, message, options);
  }
}
