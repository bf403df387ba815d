/**
 * Fragmented MP4 for Media Source Extensions: one init segment, then one fragment an access unit, so that
 * nothing waits for the next frame. ISO/IEC 14496-12 (boxes), 14496-15 (AVC), W3C "ISO BMFF Byte Stream Format".
 */
import { type ParameterSets, NAL, nalType, joinAvcc, splitNals } from "./annexb.ts";
import { buildAvcConfig } from "./avc-config.ts";
import { concatBytes, writeU32 } from "./bytes.ts";
import { parseSps } from "./sps.ts";

const TRACK_ID = 1;
/** sample_depends_on = 2 (independent) / 1 + sample_is_non_sync_sample (14496-12 8.8.3.1). */
const SYNC_SAMPLE = 0x02000000;
const NON_SYNC_SAMPLE = 0x01010000;
const TFHD_DEFAULT_BASE_IS_MOOF = 0x020000;
const TRUN_FLAGS = 0x000001 | 0x000100 | 0x000200 | 0x000400 | 0x000800; // data offset, duration, size, flags, composition offset

const ascii = (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0));
const u16 = (value: number): number[] => [(value >>> 8) & 0xff, value & 0xff];
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
const u64 = (value: number): number[] => [...u32(Math.floor(value / 2 ** 32)), ...u32(value >>> 0)];

function box(type: string, ...parts: ReadonlyArray<Uint8Array | readonly number[]>): Uint8Array {
  const bodies = parts.map((part) => (part instanceof Uint8Array ? part : Uint8Array.from(part)));
  const out = concatBytes([Uint8Array.from([0, 0, 0, 0, ...ascii(type)]), ...bodies]);
  writeU32(out, 0, out.length);
  return out;
}

const fullBox = (
  type: string,
  version: number,
  flags: number,
  ...parts: ReadonlyArray<Uint8Array | readonly number[]>
): Uint8Array => box(type, u32(version * 2 ** 24 + flags), ...parts);

const UNITY_MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].flatMap(u32);

function videoSampleEntry(parameterSets: ParameterSets, width: number, height: number): Uint8Array {
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  return box(
    "avc1",
    [...zeros(6), ...u16(1), ...zeros(16), ...u16(width), ...u16(height), ...u32(0x480000), ...u32(0x480000)],
    [...u32(0), ...u16(1), ...zeros(32), ...u16(24), ...u16(0xffff)],
    box("avcC", buildAvcConfig(parameterSets)),
  );
}

export interface InitSegmentOptions extends ParameterSets {
  /** Ticks per second of decode times and durations; 90000 or 1000. */
  readonly timescale: number;
}

/**
 * ftyp + moov for one H.264 track.
 *
 * @throws MediaError SPS_INVALID
 */
export function buildInitSegment({ sps, pps, timescale }: InitSegmentOptions): Uint8Array {
  const { width, height } = parseSps(sps);
  const ftyp = box("ftyp", ascii("isom"), u32(0x200), ascii("isomiso5avc1mp41"));
  const mvhd = fullBox(
    "mvhd",
    0,
    0,
    [...u32(0), ...u32(0), ...u32(timescale), ...u32(0), ...u32(0x10000), ...u16(0x100), ...u16(0)],
    u64(0),
    UNITY_MATRIX,
    [...u64(0), ...u64(0), ...u64(0)],
    u32(TRACK_ID + 1),
  );
  const tkhd = fullBox(
    "tkhd",
    0,
    3,
    [...u32(0), ...u32(0), ...u32(TRACK_ID), ...u32(0), ...u32(0)],
    [...u64(0), ...u32(0), ...u32(0)],
    UNITY_MATRIX,
    [...u32(width * 65536), ...u32(height * 65536)],
  );
  const mdhd = fullBox("mdhd", 0, 0, [
    ...u32(0),
    ...u32(0),
    ...u32(timescale),
    ...u32(0),
    ...u16(0x55c4),
    ...u16(0),
  ]);
  const hdlr = fullBox("hdlr", 0, 0, u32(0), ascii("vide"), [...u64(0), ...u32(0)], ascii("huishi\0"));
  const dinf = box("dinf", fullBox("dref", 0, 0, u32(1), fullBox("url ", 0, 1)));
  const stbl = box(
    "stbl",
    fullBox("stsd", 0, 0, u32(1), videoSampleEntry({ sps, pps }, width, height)),
    fullBox("stts", 0, 0, u32(0)),
    fullBox("stsc", 0, 0, u32(0)),
    fullBox("stsz", 0, 0, u64(0)),
    fullBox("stco", 0, 0, u32(0)),
  );
  const minf = box("minf", fullBox("vmhd", 0, 1, u64(0)), dinf, stbl);
  const trak = box("trak", tkhd, box("mdia", mdhd, hdlr, minf));
  const trex = fullBox("trex", 0, 0, [TRACK_ID, 1, 0, 0, 0].flatMap(u32));
  return concatBytes([ftyp, box("moov", mvhd, trak, box("mvex", trex))]);
}

export interface MediaSegmentOptions {
  /** Counts up from 1 over the fragments of a track (mfhd sequence_number). */
  readonly sequence: number;
  /** Decode time of the access unit, in ticks. */
  readonly decodeTime: number;
  /** How long it is shown, in ticks. */
  readonly duration: number;
  /** Presentation time minus decode time, in ticks; default 0. */
  readonly compositionOffset?: number;
  readonly keyframe: boolean;
  readonly annexB: Uint8Array;
}

/**
 * moof + mdat for one access unit. Access unit delimiters and parameter sets stay out of the sample: the
 * latter belong to the init segment (`avc1`, 14496-15 5.4.2.1.2). Write a new init segment when they change.
 */
export function buildMediaSegment(options: MediaSegmentOptions): Uint8Array {
  const sample = joinAvcc(
    splitNals(options.annexB).filter((nal) => {
      const type = nalType(nal);
      return type !== NAL.aud && type !== NAL.sps && type !== NAL.pps;
    }),
  );
  const mfhd = fullBox("mfhd", 0, 0, u32(options.sequence));
  const tfhd = fullBox("tfhd", 0, TFHD_DEFAULT_BASE_IS_MOOF, u32(TRACK_ID));
  const tfdt = fullBox("tfdt", 1, 0, u64(Math.max(0, Math.round(options.decodeTime))));
  const trun = fullBox("trun", 1, TRUN_FLAGS, [
    ...u32(1),
    ...u32(0), // data_offset, patched below
    ...u32(Math.max(0, Math.round(options.duration))),
    ...u32(sample.length),
    ...u32(options.keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE),
    ...u32(Math.round(options.compositionOffset ?? 0) >>> 0),
  ]);
  const moof = box("moof", mfhd, box("traf", tfhd, tfdt, trun));
  // data_offset counts from the moof's first byte to the sample: moof, then mdat's 8-byte header. It is the
  // trun's 5th word, and the trun is the last box of the moof.
  writeU32(moof, moof.length - trun.length + 16, moof.length + 8);
  const out = new Uint8Array(moof.length + 8 + sample.length);
  out.set(moof, 0);
  writeU32(out, moof.length, 8 + sample.length);
  out.set(ascii("mdat"), moof.length + 4);
  out.set(sample, moof.length + 8);
  return out;
}
