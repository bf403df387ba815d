// What agents send on request beside clips: logs and snapshots. Kept for a week, a gigabyte at most.
import type { UploadKind } from "@huishi/contracts";
import { type Runnable, sleep } from "@huishi/kernel";
import { createHash } from "node:crypto";
import type { UploadDestination, UploadFiles } from "./upload-intake.ts";

/** A packed log of 16 MiB, or the picture of a large camera. */
const MAX_BYTES = 20 * 1024 * 1024;
const UPKEEP_MS = 60_000;
const KEPT = { days: 7, bytes: 1024 * 1024 * 1024 };
/** An upload that makes no progress for so long is given up. */
const STALL_MINUTES = 60;

/** First bytes of what each kind must be: gzip (RFC 1952 §2.3.1), JPEG (ITU-T T.81 B.1.1.3). */
const BEGINNINGS: Readonly<Record<UploadKind, readonly number[]>> = {
  logs: [0x1f, 0x8b],
  snapshot: [0xff, 0xd8, 0xff],
};

export interface UploadBook {
  /** The kind that this agent was asked for under this name and that is not complete; else null. */
  wanted(agentId: string, id: string): Promise<UploadKind | null>;
  progress(id: string, bytes: number): Promise<void>;
  ready(id: string, upload: { readonly bytes: number; readonly sha256: string }): Promise<void>;
  failed(id: string, code: string, message: string): Promise<void>;
  /** Gives up what stands still; returns it. */
  stalled(minutes: number): Promise<readonly string[]>;
  /** What is older, and the oldest of what is above the bytes. */
  surplus(kept: { readonly days: number; readonly bytes: number }): Promise<readonly string[]>;
  forget(ids: readonly string[]): Promise<void>;
}

export interface KeptFiles extends UploadFiles {
  /** Of a complete one as well. */
  remove(id: string): Promise<void>;
}

export class AgentUploads implements UploadDestination, Runnable {
  readonly name = "upkeep of uploads";
  readonly maxBytes = MAX_BYTES;
  readonly files: KeptFiles;
  readonly #book: UploadBook;

  constructor(parts: { readonly book: UploadBook; readonly files: KeptFiles }) {
    this.#book = parts.book;
    this.files = parts.files;
  }

  async wants(agentId: string, id: string): Promise<boolean> {
    return (await this.#book.wanted(agentId, id)) !== null;
  }

  progress(id: string, bytes: number): Promise<void> {
    return this.#book.progress(id, bytes);
  }

  failed(id: string, code: string, message: string): Promise<void> {
    return this.#book.failed(id, code, message);
  }

  async complete(agentId: string, id: string): Promise<void> {
    const kind = await this.#book.wanted(agentId, id);
    const hash = createHash("sha256");
    let beginning = Buffer.alloc(0);
    for await (const chunk of this.files.read(id, 0)) {
      hash.update(chunk);
      if (beginning.byteLength < 4) beginning = Buffer.concat([beginning, chunk.subarray(0, 4)]);
    }
    const isRight = kind !== null && BEGINNINGS[kind].every((byte, i) => beginning[i] === byte);
    if (!isRight) {
      await this.files.discard(id);
      return this.failed(id, "UPLOAD_CONTENT", "what came is not what was asked for");
    }
    const bytes = await this.files.size(id);
    await this.files.keep(id);
    await this.#book.ready(id, { bytes, sha256: hash.digest("hex") });
  }

  /** Looks after the old ones until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.tidy();
      await sleep(UPKEEP_MS, signal);
    }
  }

  async tidy(): Promise<void> {
    for (const id of await this.#book.stalled(STALL_MINUTES)) await this.files.discard(id);
    const surplus = await this.#book.surplus(KEPT);
    // The files first: a row without its file is found again, a file without its row is not.
    for (const id of surplus) await this.files.remove(id);
    if (surplus.length > 0) await this.#book.forget(surplus);
  }
}
