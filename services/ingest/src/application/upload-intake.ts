import { decodeUploadChunk, type UploadChunk } from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";

/** Where the bytes of one kind of upload are kept. */
export interface UploadFiles {
  /** Of what has come; 0 when there is nothing. */
  size(id: string): Promise<number>;
  /** Resolves when they are on the disk. */
  append(id: string, bytes: Uint8Array): Promise<void>;
  read(id: string, from: number, to?: number): AsyncIterable<Uint8Array>;
  /** It is complete. */
  keep(id: string): Promise<void>;
  discard(id: string): Promise<void>;
}

/** One kind of upload: what was asked for, and what becomes of it. */
export interface UploadDestination {
  readonly files: UploadFiles;
  /** What is longer is given up. */
  readonly maxBytes: number;
  /** False when this agent was never asked for it, or when it is complete already. */
  wants(agentId: string, id: string): Promise<boolean>;
  progress(id: string, bytes: number): Promise<void>;
  failed(id: string, code: string, message: string): Promise<void>;
  /** Takes room on the disk; false where there is none. Without it there always is. */
  takeRoom?(bytes: number): Promise<boolean>;
  /** All of it is in the files. */
  complete(agentId: string, id: string): Promise<void>;
}

export interface DeadUpload {
  readonly agentId: string;
  readonly topic: string;
  readonly code: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

export interface UploadIntakeOptions {
  /** The first that wants it gets it; ids are never used twice. */
  readonly destinations: readonly UploadDestination[];
  readonly steadyMs: () => number;
  readonly onFault: (what: string) => (fault: unknown) => void;
  deadLetter(letter: DeadUpload): Promise<void>;
}

/** Transfers whose size is known without a look at the disk. Overflow policy: `dropOldest`. */
const MAX_KNOWN = 1_000;
/** How often the progress of a transfer is written down. */
const PROGRESS_EVERY_MS = 2_000;

interface Transfer {
  bytes: number;
  toldMs: number;
}

/**
 * Takes the chunks of uploads that were asked for. What comes twice is ignored; what cannot be right is a dead letter
 * and acknowledged all the same, because it would come again for ever.
 */
export class UploadIntake {
  readonly #options: UploadIntakeOptions;
  readonly #transfers = new Map<string, Transfer>();
  readonly #lettered = new Set<string>();
  /** One chunk of a transfer at a time. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(options: UploadIntakeOptions) {
    this.#options = options;
  }

  /** Resolves when the bytes are on the disk or are none of ours; rejects when that cannot be said now. */
  accept(agentId: string, id: string, topic: string, payload: Uint8Array): Promise<void> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#take(agentId, id, topic, payload));
    const tracked = turn.finally(() => {
      if (this.#turns.get(id) === tracked) this.#turns.delete(id);
    });
    tracked.catch(() => undefined);
    this.#turns.set(id, tracked);
    return turn;
  }

  /** It was asked for (again): it begins anew, as the agent may put it together in another way. */
  async begin(destination: UploadDestination, id: string): Promise<void> {
    this.#transfers.delete(id);
    await destination.files.discard(id);
  }

  async #take(agentId: string, id: string, topic: string, payload: Uint8Array): Promise<void> {
    const refuse = (code: string, reason: string): Promise<void> =>
      this.#refuse({ agentId, topic, code, reason, payload });
    let chunk: UploadChunk;
    try {
      chunk = decodeUploadChunk(payload);
    } catch (error) {
      return refuse(error instanceof HuishiError ? error.code : "UPLOAD_CHUNK", messageOf(error));
    }
    const destination = await this.#destination(agentId, id);
    if (!destination) {
      this.#transfers.delete(id);
      return refuse("UPLOAD_UNASKED", "this agent was not asked for this upload, or it is complete");
    }
    const transfer = this.#transfers.get(id) ?? (await this.#open(destination, id));
    const missing = chunk.offset - transfer.bytes;
    if (missing > 0) return refuse("UPLOAD_OFFSET", `${missing} bytes are missing before this chunk`);
    const news = chunk.data.subarray(Math.min(-missing, chunk.data.byteLength));
    if (transfer.bytes + news.byteLength > destination.maxBytes) return this.#giveUp(destination, id);
    if (news.byteLength > 0 && (await destination.takeRoom?.(news.byteLength)) === false)
      return this.#refuseForRoom(destination, id);
    if (news.byteLength > 0) await destination.files.append(id, news);
    transfer.bytes += news.byteLength;
    if (chunk.last && chunk.offset + chunk.data.byteLength === transfer.bytes) {
      this.#transfers.delete(id);
      return destination.complete(agentId, id);
    }
    const nowMs = this.#options.steadyMs();
    if (nowMs - transfer.toldMs < PROGRESS_EVERY_MS) return;
    transfer.toldMs = nowMs;
    await destination.progress(id, transfer.bytes);
  }

  async #destination(agentId: string, id: string): Promise<UploadDestination | null> {
    for (const destination of this.#options.destinations)
      if (await destination.wants(agentId, id)) return destination;
    return null;
  }

  async #giveUp(destination: UploadDestination, id: string): Promise<void> {
    this.#transfers.delete(id);
    await destination.files.discard(id);
    await destination.failed(id, "UPLOAD_TOO_LARGE", `more than ${destination.maxBytes} bytes came`);
  }

  async #refuseForRoom(destination: UploadDestination, id: string): Promise<void> {
    this.#transfers.delete(id);
    await destination.files.discard(id);
    const why = "there is no room for it, and nothing that lies there may go";
    this.#options.onFault("a clip was refused for want of room")({ code: "CLIP_STORE_FULL" });
    await destination.failed(id, "CLIP_STORE_FULL", why);
  }

  async #open({ files }: UploadDestination, id: string): Promise<Transfer> {
    const transfer: Transfer = { bytes: await files.size(id), toldMs: -Infinity };
    if (this.#transfers.size >= MAX_KNOWN) {
      const [oldest] = this.#transfers.keys();
      if (oldest !== undefined) this.#transfers.delete(oldest);
    }
    this.#transfers.set(id, transfer);
    return transfer;
  }

  /** One dead letter a transfer and reason, with the head of what came. */
  async #refuse(letter: DeadUpload): Promise<void> {
    const key = `${letter.topic} ${letter.code}`;
    this.#options.onFault("a chunk of an upload was refused")({ code: letter.code, agentId: letter.agentId });
    if (this.#lettered.has(key)) return;
    if (this.#lettered.size >= MAX_KNOWN) this.#lettered.clear();
    this.#lettered.add(key);
    await this.#options.deadLetter({ ...letter, payload: letter.payload.subarray(0, 64) });
  }
}
