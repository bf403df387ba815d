/**
 * Incremental FLV demuxer for H.264 (Adobe Flash Video File Format 10.1, annex E). FLV on a pipe is how
 * ffmpeg hands out each access unit as soon as it has it, with decode and composition time.
 */
import { NAL, joinAnnexB, nalType, splitAvcc } from "./annexb.ts";
import { parseAvcConfig } from "./avc-config.ts";
import { concatBytes, copyBytes, readU24, readU32 } from "./bytes.ts";
import { MediaError } from "./errors.ts";

/** One picture, ready for a decoder. */
export interface TimedAccessUnit {
  /** Annex B bytes; SPS and PPS are there at every keyframe. */
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  /** Decode and presentation time in milliseconds of the stream's own clock; never wraps. */
  readonly dtsMs: number;
  readonly ptsMs: number;
}

export const MAX_FLV_TAG_BYTES = 8 * 1024 * 1024;

const FILE_HEADER_BYTES = 9;
const TAG_HEADER_BYTES = 11;
const PREVIOUS_TAG_SIZE_BYTES = 4;
const TAG_AUDIO = 8;
const TAG_VIDEO = 9;
const TAG_SCRIPT = 18;
const CODEC_AVC = 7;
/** ffmpeg writes 31 bits of milliseconds: the time starts again every 24.8 days. */
const TIME_WRAP_MS = 2 ** 31;

/**
 * Bytes in, access units out. Memory is bounded by the largest tag plus one chunk. After an error the
 * demuxer is spent: every further push throws the same error.
 */
export class FlvDemuxer {
  readonly #maxTagBytes: number;
  #pending: Uint8Array = new Uint8Array(0);
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  /** Bytes needed before it is worth looking again. */
  #wanted = FILE_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES;
  #headerRead = false;
  #failure: MediaError | undefined;
  #lengthSize: 1 | 2 | 4 = 4;
  #parameterNals: readonly Uint8Array[] = [];
  #lastRawDtsMs = 0;
  #wraps = 0;

  constructor(options: { readonly maxTagBytes?: number } = {}) {
    this.#maxTagBytes = options.maxTagBytes ?? MAX_FLV_TAG_BYTES;
  }

  /**
   * Takes the next bytes of the stream, cut anywhere, and returns the access units that they complete. The
   * returned arrays are copies. `chunk` belongs to the demuxer from now on: do not write to it again.
   *
   * @throws MediaError FLV_INVALID, FLV_TAG_TOO_LARGE, FLV_UNSUPPORTED_CODEC, NAL_INVALID
   */
  push(chunk: Uint8Array): TimedAccessUnit[] {
    if (this.#failure) throw this.#failure;
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.length;
    if (this.#pending.length + this.#chunkBytes < this.#wanted) return [];
    const bytes =
      this.#pending.length === 0 && this.#chunks.length === 1
        ? chunk
        : concatBytes([this.#pending, ...this.#chunks]);
    this.#chunks = [];
    this.#chunkBytes = 0;
    try {
      return this.#consume(bytes);
    } catch (error) {
      this.#pending = new Uint8Array(0);
      if (error instanceof MediaError) this.#failure = error;
      throw error;
    }
  }

  #consume(bytes: Uint8Array): TimedAccessUnit[] {
    const units: TimedAccessUnit[] = [];
    let at = 0;
    if (!this.#headerRead) at = this.#readFileHeader(bytes);
    for (;;) {
      const left = bytes.length - at;
      this.#wanted = TAG_HEADER_BYTES;
      if (left < TAG_HEADER_BYTES) break;
      const type = (bytes[at] as number) & 0x1f;
      const size = readU24(bytes, at + 1);
      if (
        ((bytes[at] as number) & 0xe0) !== 0 ||
        (type !== TAG_AUDIO && type !== TAG_VIDEO && type !== TAG_SCRIPT)
      ) {
        throw new MediaError("FLV_INVALID", `the FLV stream is damaged: tag type ${bytes[at]}`);
      }
      if (size > this.#maxTagBytes) {
        throw new MediaError(
          "FLV_TAG_TOO_LARGE",
          `an FLV tag of ${size} bytes exceeds ${this.#maxTagBytes}`,
          { size },
        );
      }
      this.#wanted = TAG_HEADER_BYTES + size + PREVIOUS_TAG_SIZE_BYTES;
      if (left < this.#wanted) break;
      if (readU32(bytes, at + TAG_HEADER_BYTES + size) !== TAG_HEADER_BYTES + size) {
        throw new MediaError("FLV_INVALID", "the FLV stream is damaged: a tag's trailing size is wrong");
      }
      if (type === TAG_VIDEO) {
        const rawMs = (((bytes[at + 7] as number) & 0x7f) << 24) | readU24(bytes, at + 4);
        const unit = this.#readVideo(
          bytes.subarray(at + TAG_HEADER_BYTES, at + TAG_HEADER_BYTES + size),
          rawMs,
        );
        if (unit) units.push(unit);
      }
      at += this.#wanted;
    }
    // Copied, so that a small rest does not keep a large chunk alive.
    this.#pending = copyBytes(bytes.subarray(at));
    return units;
  }

  #readFileHeader(bytes: Uint8Array): number {
    const offset = readU32(bytes, 5);
    if (
      bytes[0] !== 0x46 ||
      bytes[1] !== 0x4c ||
      bytes[2] !== 0x56 ||
      bytes[3] !== 1 ||
      offset !== FILE_HEADER_BYTES
    ) {
      throw new MediaError("FLV_INVALID", "the stream does not begin like FLV version 1");
    }
    this.#headerRead = true;
    return FILE_HEADER_BYTES + PREVIOUS_TAG_SIZE_BYTES;
  }

  #readVideo(body: Uint8Array, rawMs: number): TimedAccessUnit | undefined {
    if (body.length === 0) return undefined;
    const first = body[0] as number;
    const frameType = first >> 4;
    if (frameType === 5) return undefined; // video info / command frame
    if ((first & 0x80) !== 0 || (first & 0x0f) !== CODEC_AVC) {
      throw new MediaError("FLV_UNSUPPORTED_CODEC", "the FLV stream carries no H.264 video", {
        codecId: first & 0x0f,
      });
    }
    if (body.length < 5)
      throw new MediaError("FLV_INVALID", "the FLV stream is damaged: an AVC packet is cut off");
    const packetType = body[1] as number;
    if (packetType === 0) this.#readConfig(body.subarray(5));
    if (packetType !== 1) return undefined; // 0: sequence header, 2: end of sequence
    return this.#readPicture(body, rawMs);
  }

  #readConfig(record: Uint8Array): void {
    if (record.length === 0) return;
    const config = parseAvcConfig(record);
    this.#lengthSize = config.lengthSize;
    this.#parameterNals = config.parameterNals.map(copyBytes);
  }

  #readPicture(body: Uint8Array, rawMs: number): TimedAccessUnit | undefined {
    const nals = splitAvcc(body.subarray(5), this.#lengthSize);
    if (nals.length === 0) return undefined;
    const keyframe = nals.some((nal) => nalType(nal) === NAL.idr);
    const compositionMs = (readU24(body, 2) << 8) >> 8; // SI24
    const dtsMs = this.#unwrap(rawMs);
    return {
      annexB: joinAnnexB(keyframe ? this.#withParameterSets(nals) : nals),
      keyframe,
      dtsMs,
      ptsMs: dtsMs + compositionMs,
    };
  }

  /** Puts the configuration's SPS and PPS after the delimiter, unless the picture brings its own. */
  #withParameterSets(nals: Uint8Array[]): Uint8Array[] {
    const inBand =
      nals.some((nal) => nalType(nal) === NAL.sps) && nals.some((nal) => nalType(nal) === NAL.pps);
    if (inBand || this.#parameterNals.length === 0) return nals;
    const head = nalType(nals[0] as Uint8Array) === NAL.aud ? 1 : 0;
    const rest = nals.slice(head).filter((nal) => nalType(nal) !== NAL.sps && nalType(nal) !== NAL.pps);
    return [...nals.slice(0, head), ...this.#parameterNals, ...rest];
  }

  #unwrap(rawMs: number): number {
    if (rawMs < this.#lastRawDtsMs - TIME_WRAP_MS / 2) this.#wraps += 1;
    this.#lastRawDtsMs = rawMs;
    return this.#wraps * TIME_WRAP_MS + rawMs;
  }
}
