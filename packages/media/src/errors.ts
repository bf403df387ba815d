import { HuishiError } from "@huishi/kernel";

export type MediaErrorCode =
  /** A sequence parameter set that does not follow ITU-T H.264 7.3.2.1. */
  | "SPS_INVALID"
  /** NAL units whose lengths or contents contradict the buffer that holds them. */
  | "NAL_INVALID"
  /** Bytes that are not FLV, or an FLV stream that was damaged on its way. */
  | "FLV_INVALID"
  /** One FLV tag beyond the bound (8 MiB by default). */
  | "FLV_TAG_TOO_LARGE"
  /** FLV that carries another codec than H.264. */
  | "FLV_UNSUPPORTED_CODEC";

/** A fault in media bytes that came from outside. The stream it came from cannot be trusted further. */
export class MediaError extends HuishiError {
  declare readonly code: MediaErrorCode;

  constructor(code: MediaErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(code, message, { details });
  }
}
