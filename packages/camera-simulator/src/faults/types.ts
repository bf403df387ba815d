/** Fault switches of a simulated camera, set by a test at run time. All are off unless they are named. */
import type { ClipOptions } from "../source/clip-cache.ts";

export type StreamName = "main" | "sub";

/** What happens to the pictures and packets of one stream, for every client that plays it. */
export interface StreamFaults {
  /** Chance of each bit behind the NAL unit's header to be turned over, e.g. 1e-4 to 1e-1; parameter sets too. */
  readonly bitFlipRate?: number;
  /** Share of NAL units that are cut short at a place chosen by chance. */
  readonly truncateRate?: number;
  /** Share of RTP packets that are numbered but never sent. */
  readonly lossRate?: number;
  /** Share of RTP packets that are sent behind their successor. */
  readonly reorderRate?: number;
  /** After so many pictures the RTP sequence number jumps by a number chosen by chance. */
  readonly sequenceJumpEvery?: number;
  /** After so many pictures the RTP timestamp jumps by up to ten hours, forward or back. */
  readonly timestampJumpEvery?: number;
  /** The timestamp passes 2^32 so long after PLAY, and the sequence number 2^16 within the first 20 packets. */
  readonly wrapsAfterMs?: number;
  /** Share of pictures before which bytes are written that are no interleaved frame (TCP). */
  readonly garbageRate?: number;
  /** So long after PLAY no packet leaves any more; the connection stays open. */
  readonly silentAfterMs?: number;
  /** After so many pictures the connection is cut in the middle of the next one. */
  readonly cutAfterPictures?: number;
}

/** How the RTSP server treats those who connect. */
export interface ServerFaults {
  /**
   * `silent`: accepts the connection, never answers. `half_open`: answers until PLAY, which it ignores.
   * `drip`: answers one byte a second. `endless_header`: answers with a header that never ends (64 KiB a second).
   */
  readonly answers?: "silent" | "half_open" | "drip" | "endless_header";
  /** Every DESCRIBE is sent elsewhere (RFC 2326 §11.3). */
  readonly redirect?: { readonly status: 301 | 302; readonly location: string };
  /** Content-Base of the description (RFC 2326 §C.1.1), e.g. another host. */
  readonly contentBase?: string;
  /** `a=control` of the track: an absolute URL may name another host. */
  readonly control?: string;
  /** 461 for this transport. */
  readonly refusesTransport?: "tcp" | "udp";
  /** How to sign in; default digest with MD5. `digest_sha256` offers nothing else (RFC 7616). */
  readonly signIn?: "basic" | "digest_sha256" | "digest_or_basic";
  /** So many right sign-ins are answered as if their nonce were too old. */
  readonly staleNonces?: number;
  /** 401 for everybody. */
  readonly refusesAll?: boolean;
  /** After so many wrong sign-ins everybody gets 403, the right password too. */
  readonly lockOutAfter?: number;
}

/** Pictures that play instead of a stream's own. `giant` is a keyframe of 16384x8192 once a second. */
export type ReplacementPictures = ClipOptions | "giant";

export interface CameraFaults {
  /** Sets the faults of a stream; those that are not named end. */
  setStream(stream: StreamName, faults: StreamFaults): void;
  /** Sets the faults of the RTSP server; those that are not named end. */
  setServer(faults: ServerFaults): void;
  /**
   * Changes resolution or codec in mid-stream, from a keyframe on. `announced: false` keeps describing the old
   * pictures to new clients.
   */
  replacePictures(
    stream: StreamName,
    pictures: ReplacementPictures,
    options?: { readonly announced?: boolean },
  ): Promise<void>;
  /** Back to the stream's own pictures, at their next keyframe. */
  restorePictures(stream: StreamName): void;
  /** Ends every fault. */
  clear(): void;
}
