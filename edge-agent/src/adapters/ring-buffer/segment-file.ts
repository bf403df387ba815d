// One segment's file: picture records, then its signed manifest and a footer that says where that begins.
import {
  type SegmentGroup,
  type SegmentManifest,
  type SignedText,
  SignedTextSchema,
  type StreamProfile,
  type VideoCodec,
} from "@huishi/contracts";
import {
  encodeRecordHead,
  MANIFEST_RECORD,
  PICTURE_RECORD,
  readSegmentManifest,
  RecordReader,
  textHash,
} from "@huishi/platform";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Check } from "typebox/value";
import type { CapturedUnit, Signer } from "../../application/ports.ts";
import { parseOpenName, type Segment, segmentName } from "../../domain/recording-segments.ts";
import { SegmentGroups } from "./segment-groups.ts";

const FOOTER_BYTES = 8;
/** "HSEG". */
const FOOTER_MAGIC = 0x48534547;
const READ_BYTES = 1024 * 1024;

/** Which stream a segment belongs to, and who vouches for it. */
export interface TrackIdentity {
  readonly agentId: string;
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly signer: Signer;
}

/** The hash of the manifest before and the codec go into the manifest of the next one. */
export interface SegmentPlace extends Pick<Segment, "sequence" | "gap"> {
  readonly previous: string | null;
  readonly codec: VideoCodec;
}

export interface ClosedSegment {
  readonly segment: Segment;
  /** Of its manifest. */
  readonly hash: string;
}

/** A segment that is being written. Nothing here is called while another call is under way. */
export class SegmentFile {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #place: SegmentPlace;
  readonly #groups = new SegmentGroups();
  #bytes = 0;

  private constructor(file: string, handle: FileHandle, place: SegmentPlace) {
    this.#file = file;
    this.#handle = handle;
    this.#place = place;
  }

  /** @param file named by `openName` */
  static async create(file: string, place: SegmentPlace): Promise<SegmentFile> {
    return new SegmentFile(file, await open(file, "wx", 0o600), place);
  }

  get codec(): VideoCodec {
    return this.#place.codec;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get fromMs(): number {
    return this.#groups.fromMs;
  }

  get toMs(): number {
    return this.#groups.toMs;
  }

  get isEmpty(): boolean {
    return this.#groups.isEmpty;
  }

  /** Appends whole records or none. */
  async append(units: readonly CapturedUnit[]): Promise<void> {
    const records = units.map((unit) => [
      encodeRecordHead({ ...unit, type: PICTURE_RECORD, payload: unit.annexB }),
      unit.annexB,
    ]);
    await this.#write(records.flat());
    units.forEach((unit, i) => this.#groups.add(unit, records[i] as Uint8Array[]));
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  /** Signs it and gives it its name. */
  async close(identity: TrackIdentity): Promise<ClosedSegment> {
    const groups = this.#groups.finish();
    return finish(identity, {
      file: this.#file,
      handle: this.#handle,
      place: this.#place,
      groups,
      torn: false,
      bytes: this.#bytes,
    });
  }

  /** Leaves it as it lies; the next start of the stream closes it. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    try {
      this.#bytes += await writeAll(this.#handle, parts, this.#bytes);
    } catch (error) {
      // Half a record must not stand between whole ones.
      await this.#handle.truncate(this.#bytes).catch(() => undefined);
      throw error;
    }
  }
}

async function writeAll(handle: FileHandle, parts: readonly Uint8Array[], at: number): Promise<number> {
  const bytes = Buffer.concat(parts);
  let written = 0;
  while (written < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.byteLength - written, at + written);
    written += bytesWritten;
  }
  return written;
}

interface Ending {
  readonly file: string;
  readonly handle: FileHandle;
  readonly place: SegmentPlace;
  readonly groups: readonly SegmentGroup[];
  readonly torn: boolean;
  readonly bytes: number;
}

async function finish(identity: TrackIdentity, ending: Ending): Promise<ClosedSegment> {
  const { file, handle, place, groups } = ending;
  const text = JSON.stringify(manifestOf(identity, ending));
  const signature = Buffer.from(identity.signer.sign(text)).toString("base64url");
  const payload = Buffer.from(JSON.stringify({ text, signature } satisfies SignedText));
  const head = encodeRecordHead({
    type: MANIFEST_RECORD,
    keyframe: false,
    capturedAtMs: 0,
    ptsMs: 0,
    payload,
  });
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32BE(payload.byteLength, 0);
  footer.writeUInt32BE(FOOTER_MAGIC, 4);
  try {
    const written = await writeAll(handle, [head, payload, footer], ending.bytes);
    await handle.sync();
    const segment: Segment = {
      sequence: place.sequence,
      gap: place.gap,
      fromMs: groups[0]?.fromMs ?? 0,
      toMs: groups.at(-1)?.toMs ?? 0,
      bytes: ending.bytes + written,
    };
    await rename(file, join(dirname(file), segmentName(segment)));
    return { segment, hash: textHash(text) };
  } finally {
    await handle.close();
  }
}

function manifestOf(identity: TrackIdentity, { place, groups, torn }: Ending): SegmentManifest {
  const { agentId, cameraId, profile, signer } = identity;
  const { codec, sequence, previous } = place;
  const times = { fromMs: groups[0]?.fromMs ?? 0, toMs: groups.at(-1)?.toMs ?? 0 };
  return {
    v: 1,
    agentId,
    keyId: signer.keyId,
    cameraId,
    profile,
    codec,
    sequence,
    previous,
    ...times,
    torn,
    groups: [...groups],
  };
}

/**
 * Closes a segment that a dead agent left open: cut to its last whole record, marked as torn.
 *
 * @returns null when there was nothing in it: then it is gone
 */
export async function recoverSegment(
  file: string,
  name: string,
  identity: TrackIdentity,
  previous: string | null,
): Promise<ClosedSegment | null> {
  const place = parseOpenName(name);
  if (!place) return null;
  const handle = await open(file, "r+");
  const { groups, bytes } = await readWhole(handle);
  if (groups.isEmpty) {
    await handle.close();
    await rm(file, { force: true });
    return null;
  }
  await handle.truncate(bytes);
  const closed = groups.finish();
  return finish(identity, {
    file,
    handle,
    place: { ...place, previous },
    groups: closed,
    torn: true,
    bytes,
  });
}

/** What stands whole at the front of the file. */
async function readWhole(handle: FileHandle): Promise<{ groups: SegmentGroups; bytes: number }> {
  const reader = new RecordReader();
  const groups = new SegmentGroups();
  let bytes = 0;
  for await (const chunk of readRange(handle, 0, Infinity)) {
    for (const record of reader.push(chunk)) {
      // A manifest that was written before the name was: it is written again.
      if (record.type !== PICTURE_RECORD) return { groups, bytes };
      groups.add(record, [record.bytes]);
      bytes += record.bytes.byteLength;
    }
    if (reader.isDamaged) break;
  }
  return { groups, bytes };
}

async function* readRange(handle: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  let at = from;
  while (at < to) {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, to - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The signed manifest of a closed segment; null when it cannot be read. */
export async function readManifest(
  file: string,
): Promise<{ readonly signed: SignedText; readonly manifest: SegmentManifest } | null> {
  const handle = await open(file, "r").catch(() => null);
  if (!handle) return null;
  try {
    const { size } = await handle.stat();
    const footer = Buffer.alloc(FOOTER_BYTES);
    await handle.read(footer, 0, FOOTER_BYTES, Math.max(0, size - FOOTER_BYTES));
    const length = footer.readUInt32BE(0);
    if (footer.readUInt32BE(4) !== FOOTER_MAGIC || length > size - FOOTER_BYTES) return null;
    const payload = Buffer.alloc(length);
    await handle.read(payload, 0, length, size - FOOTER_BYTES - length);
    const signed: unknown = JSON.parse(payload.toString("utf8"));
    if (!Check(SignedTextSchema, signed)) return null;
    const manifest = readSegmentManifest(signed.text);
    return manifest && { signed, manifest };
  } catch {
    return null;
  } finally {
    await handle.close();
  }
}

/** Bytes of a segment's file. */
export async function* readSegment(file: string, from: number, to: number): AsyncGenerator<Buffer> {
  const handle = await open(file, "r");
  try {
    yield* readRange(handle, from, to);
  } finally {
    await handle.close();
  }
}
