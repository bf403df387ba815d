import {
  MAX_CLIP_MANIFEST_BYTES,
  MAX_UPLOAD_BYTES,
  type SignedText,
  SignedTextSchema,
} from "@huishi/contracts";
import { readClipManifest, verifyClip } from "@huishi/platform";
import { Check } from "typebox/value";
import type { ClipRoom } from "./clip-room.ts";
import type { UploadDestination, UploadFiles } from "./upload-intake.ts";

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
}

/** Uploads that are clips of recordings: checked against what the agent signed before anybody sees them. */
export class ClipUploads implements UploadDestination {
  readonly maxBytes = MAX_UPLOAD_BYTES;
  readonly files: UploadFiles;
  readonly #book: ClipBook;
  readonly #room: Pick<ClipRoom, "take"> | undefined;

  constructor(parts: {
    readonly book: ClipBook;
    readonly files: UploadFiles;
    /** Default: without a bound. */
    readonly room?: Pick<ClipRoom, "take">;
  }) {
    this.#book = parts.book;
    this.#room = parts.room;
    this.files = parts.files;
  }

  async wants(agentId: string, clipId: string): Promise<boolean> {
    return (await this.#book.wanted(agentId, clipId)) !== null;
  }

  async takeRoom(bytes: number): Promise<boolean> {
    return (await this.#room?.take(bytes)) ?? true;
  }

  progress(clipId: string, bytes: number): Promise<void> {
    return this.#book.progress(clipId, bytes);
  }

  failed(clipId: string, code: string, message: string): Promise<void> {
    return this.#book.failed(clipId, code, message);
  }

  async complete(agentId: string, clipId: string): Promise<void> {
    const [book, { files }] = [this.#book, this];
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
    const told = problems.map(({ message }) => message).join("; ");
    await book.ready(clipId, {
      bytes: await files.size(clipId),
      sha256: manifest.sha256,
      signature,
      signed: head.signed,
      code: problems[0]?.code ?? null,
      message: problems.length === 0 ? null : told.slice(0, 2_000),
    });
  }

  /** The manifest in front, and how many bytes it takes. */
  async #head(clipId: string): Promise<{ signed: SignedText; bytes: number } | null> {
    const { files } = this;
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
}

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
