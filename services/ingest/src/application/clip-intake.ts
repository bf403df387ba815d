import {
  decodeUploadChunk,
  MAX_CLIP_MANIFEST_BYTES,
  type SignedText,
  SignedTextSchema,
  type UploadChunk,
} from "@huishi/contracts";
import { HuishiError, messageOf } from "@huishi/kernel";
import { readClipManifest, verifyClip } from "@huishi/platform";
import { Check } from "typebox/value";

/** A clip that the centre asked this agent for and that is not complete. */
export interface WantedClip {
  readonly cameraId: string;
  readonly profile: string;
}

export interface FinishedClip {
  readonly bytes: number;
  readonly sha256: string;
  readonly signature: "valid" | "invalid" | "unknown key";
  readonly signed: SignedText;
  /** What is wrong with it. */
  readonly code: string | null;
  readonly message: string | null;
}

/** What the centre asked for, and what came of it. */
export interface ClipBook {
  /** null when this agent was never asked for it, or when it is complete already. */
  wanted(agentId: string, clipId: string): Promise<WantedClip | null>;
  progress(clipId: string, bytes: number): Promise<void>;
  ready(clipId: string, clip: FinishedClip): Promise<void>;
  failed(clipId: string, code: string, message: string): Promise<void>;
  /** Raw Ed25519 key, or null when nobody knows it. */
  publicKey(agentId: string, keyId: string): Promise<Uint8Array | null>;
  deadLetter(letter: {
    agentId: string;
    topic: string;
    code: string;
    reason: string;
    payload: Uint8Array;
  }): Promise<void>;
}

/** Where the bytes are kept. */
export interface ClipFiles {
  /** Of what has come; 0 when there is nothing. */
  size(clipId: string): Promise<number>;
  /** Resolves when they are on the disk. */
  append(clipId: string, bytes: Uint8Array): Promise<void>;
  read(clipId: string, from: number, to?: number): AsyncIterable<Uint8Array>;
  /** It is complete. */
  keep(clipId: string): Promise<void>;
  discard(clipId: string): Promise<void>;
}

/** Transfers whose size is known without a look at the disk. Overflow policy: `dropOldest`. */
const MAX_KNOWN = 1_000;
/** How often the progress of a transfer is written down. */
const PROGRESS_EVERY_MS = 2_000;

interface Transfer {
  bytes: number;
  toldMs: number;
}

export interface ClipIntakeOptions {
  readonly book: ClipBook;
  readonly files: ClipFiles;
  readonly steadyMs: () => number;
  readonly onFault: (what: string) => (fault: unknown) => void;
}

/**
 * Takes the chunks of clips that were asked for. What comes twice is ignored; what cannot be right is a dead letter
 * and acknowledged all the same, because it would come again for ever.
 */
export class ClipIntake {
  readonly #options: ClipIntakeOptions;
  readonly #transfers = new Map<string, Transfer>();
  readonly #lettered = new Set<string>();
  /** One chunk of a transfer at a time. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(options: ClipIntakeOptions) {
    this.#options = options;
  }

  /** Resolves when the bytes are on the disk or are none of ours; rejects when that cannot be said now. */
  accept(agentId: string, clipId: string, topic: string, payload: Uint8Array): Promise<void> {
    const before = this.#turns.get(clipId) ?? Promise.resolve();
    const turn = before.catch(() => undefined).then(() => this.#take(agentId, clipId, topic, payload));
    const tracked = turn.finally(() => {
      if (this.#turns.get(clipId) === tracked) this.#turns.delete(clipId);
    });
    tracked.catch(() => undefined);
    this.#turns.set(clipId, tracked);
    return turn;
  }

  /** The clip was asked for (again): it begins anew, as the agent may put it together in another way. */
  async begin(clipId: string): Promise<void> {
    this.#transfers.delete(clipId);
    await this.#options.files.discard(clipId);
  }

  async #take(agentId: string, clipId: string, topic: string, payload: Uint8Array): Promise<void> {
    const refuse = (code: string, reason: string): Promise<void> =>
      this.#refuse({ agentId, topic, code, reason, payload });
    let chunk: UploadChunk;
    try {
      chunk = decodeUploadChunk(payload);
    } catch (error) {
      return refuse(error instanceof HuishiError ? error.code : "UPLOAD_CHUNK", messageOf(error));
    }
    const { book, files } = this.#options;
    if (!(await book.wanted(agentId, clipId))) {
      this.#transfers.delete(clipId);
      return refuse("UPLOAD_UNASKED", "this agent was not asked for this upload, or it is complete");
    }
    const transfer = this.#transfers.get(clipId) ?? (await this.#open(clipId));
    const missing = chunk.offset - transfer.bytes;
    if (missing > 0) return refuse("UPLOAD_OFFSET", `${missing} bytes are missing before this chunk`);
    const news = chunk.data.subarray(Math.min(-missing, chunk.data.byteLength));
    if (news.byteLength > 0) await files.append(clipId, news);
    transfer.bytes += news.byteLength;
    if (chunk.last && chunk.offset + chunk.data.byteLength === transfer.bytes) {
      this.#transfers.delete(clipId);
      return this.#finish(agentId, clipId);
    }
    const nowMs = this.#options.steadyMs();
    if (nowMs - transfer.toldMs < PROGRESS_EVERY_MS) return;
    transfer.toldMs = nowMs;
    await book.progress(clipId, transfer.bytes);
  }

  async #open(clipId: string): Promise<Transfer> {
    const transfer: Transfer = { bytes: await this.#options.files.size(clipId), toldMs: -Infinity };
    if (this.#transfers.size >= MAX_KNOWN) {
      const [oldest] = this.#transfers.keys();
      if (oldest !== undefined) this.#transfers.delete(oldest);
    }
    this.#transfers.set(clipId, transfer);
    return transfer;
  }

  async #finish(agentId: string, clipId: string): Promise<void> {
    const { book, files } = this.#options;
    const head = await this.#head(clipId);
    const manifest = head && readClipManifest(head.signed.text);
    const wanted = await book.wanted(agentId, clipId);
    const fits =
      manifest?.agentId === agentId &&
      manifest.cameraId === wanted?.cameraId &&
      manifest.profile === wanted.profile;
    if (!head || !manifest || !fits) {
      await files.discard(clipId);
      return book.failed(clipId, "CLIP_MANIFEST_INVALID", "what came is not the clip that was asked for");
    }
    const publicKey = await book.publicKey(agentId, manifest.keyId);
    const { signature, problems } = await verifyClip(head.signed, files.read(clipId, head.bytes), publicKey);
    await files.keep(clipId);
    await book.ready(clipId, {
      bytes: await files.size(clipId),
      sha256: manifest.sha256,
      signature,
      signed: head.signed,
      code: problems[0]?.code ?? null,
      message:
        problems.length === 0
          ? null
          : problems
              .map(({ message }) => message)
              .join("; ")
              .slice(0, 2_000),
    });
  }

  /** The manifest in front, and how many bytes it takes. */
  async #head(clipId: string): Promise<{ signed: SignedText; bytes: number } | null> {
    const { files } = this.#options;
    const length = await collected(files.read(clipId, 0, 4));
    if (length.byteLength < 4) return null;
    const bytes = 4 + length.readUInt32BE(0);
    if (bytes > MAX_CLIP_MANIFEST_BYTES) return null;
    try {
      const signed: unknown = JSON.parse((await collected(files.read(clipId, 4, bytes))).toString("utf8"));
      return Check(SignedTextSchema, signed) ? { signed, bytes } : null;
    } catch {
      return null;
    }
  }

  /** One dead letter a transfer and reason, with the head of what came. */
  async #refuse(letter: Parameters<ClipBook["deadLetter"]>[0]): Promise<void> {
    const key = `${letter.topic} ${letter.code}`;
    this.#options.onFault("a chunk of an upload was refused")({ code: letter.code, agentId: letter.agentId });
    if (this.#lettered.has(key)) return;
    if (this.#lettered.size >= MAX_KNOWN) this.#lettered.clear();
    this.#lettered.add(key);
    await this.#options.book.deadLetter({ ...letter, payload: letter.payload.subarray(0, 64) });
  }
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
