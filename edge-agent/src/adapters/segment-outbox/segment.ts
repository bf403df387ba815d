import { type FileHandle, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type StoredEvent, decodeRecords } from "./record.ts";

/** Files are named after the sequence number of their first event, so that names sort by age. */
const NAME = /^([0-9]{16})\.events$/;

function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, "0")}.events`;
}

export function parseSegmentName(name: string): number | null {
  const match = NAME.exec(name);
  return match ? Number(match[1]) : null;
}

/** One file of the outbox: events `firstPosition` .. `firstPosition + count - 1`. */
export class Segment {
  readonly file: string;
  readonly firstPosition: number;
  count: number;
  bytes: number;
  #handle: FileHandle | null = null;
  #cache: { bytes: number; events: StoredEvent[] } | null = null;

  private constructor(file: string, firstPosition: number, count: number, bytes: number) {
    this.file = file;
    this.firstPosition = firstPosition;
    this.count = count;
    this.bytes = bytes;
  }

  static async create(folder: string, firstSeq: number, firstPosition: number): Promise<Segment> {
    const segment = new Segment(join(folder, segmentName(firstSeq)), firstPosition, 0, 0);
    segment.#handle = await open(segment.file, "w", 0o600);
    await syncFolder(folder);
    return segment;
  }

  /** Opens a file of an earlier run and cuts off what a power cut left half written. */
  static async recover(
    folder: string,
    name: string,
    firstPosition: number,
  ): Promise<{ segment: Segment; events: StoredEvent[]; damagedBytes: number }> {
    const file = join(folder, name);
    const content = await readFile(file);
    const { events, soundBytes } = decodeRecords(content);
    const damagedBytes = content.length - soundBytes;
    if (damagedBytes > 0) {
      const handle = await open(file, "r+");
      try {
        await handle.truncate(soundBytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    return { segment: new Segment(file, firstPosition, events.length, soundBytes), events, damagedBytes };
  }

  get endPosition(): number {
    return this.firstPosition + this.count;
  }

  /** Appends whole records and makes them durable. On a fault the file is as before, or the next call cuts it. */
  async append(records: Buffer, count: number): Promise<void> {
    const handle = (this.#handle ??= await open(this.file, "r+"));
    try {
      let written = 0;
      while (written < records.length) {
        const { bytesWritten } = await handle.write(records, written, undefined, this.bytes + written);
        written += bytesWritten;
      }
      await handle.datasync();
    } catch (error) {
      await handle.truncate(this.bytes).catch(() => undefined);
      throw error;
    }
    this.bytes += records.length;
    this.count += count;
  }

  /** Events from `position` on. */
  async eventsFrom(position: number): Promise<StoredEvent[]> {
    if (this.#cache?.bytes !== this.bytes) {
      const soundBytes = this.bytes;
      const content = await readFile(this.file).catch(() => Buffer.alloc(0));
      this.#cache = { bytes: soundBytes, events: decodeRecords(content.subarray(0, soundBytes)).events };
    }
    return this.#cache.events.slice(position - this.firstPosition);
  }

  forgetCache(): void {
    this.#cache = null;
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async remove(): Promise<void> {
    this.#cache = null;
    await this.close();
    await rm(this.file, { force: true });
  }

  /** True while the file is there: somebody may have emptied the folder by hand. */
  async exists(): Promise<boolean> {
    return stat(this.file).then(
      () => true,
      () => false,
    );
  }
}

/** Makes a new file's name durable (fsync(2): the directory needs its own). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
