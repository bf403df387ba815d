import { clipTypeOf, REHEARSAL_CHUNK_BYTES, type RehearsalClip } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import { type CameraStore, getCamera } from "./cameras.ts";
import type { User } from "./identity.ts";

/** Clips that one person keeps; a further one drops the oldest that no rehearsal is waiting for. */
const MAX_OWN_CLIPS = 3;
/** Clips of all people: 4 GiB in the database at most. */
const MAX_CLIPS = 16;

export interface NewClip {
  readonly id: string;
  readonly cameraId: string;
  readonly bytes: number;
  readonly user: User;
}

export interface StoredClip extends RehearsalClip {
  readonly userId: string;
}

export interface RehearsalClipStore {
  /** Drops the person's oldest clips that nobody waits for, then writes the clip if `all` are not there yet. */
  add(clip: NewClip, room: { readonly own: number; readonly all: number }): Promise<"added" | "full">;
  find(id: string): Promise<StoredClip | null>;
  /** A chunk that is there already stays as it is. */
  addChunk(id: string, no: number, bytes: Uint8Array): Promise<void>;
  delete(id: string): Promise<boolean>;
}

/** Clips that people upload to rehearse a rule on: in chunks, kept for a day. */
export class RehearsalClips {
  readonly #store: RehearsalClipStore;
  readonly #cameras: CameraStore;

  constructor(parts: { readonly store: RehearsalClipStore; readonly cameras: CameraStore }) {
    this.#store = parts.store;
    this.#cameras = parts.cameras;
  }

  /** Announces a clip. @throws HuishiError CAMERA_NOT_FOUND, REHEARSAL_CLIPS_FULL */
  async announce(asked: { cameraId: string; bytes: number }, user: User): Promise<RehearsalClip> {
    await getCamera(this.#cameras, asked.cameraId);
    const id = randomUUID();
    const outcome = await this.#store.add({ ...asked, id, user }, { own: MAX_OWN_CLIPS, all: MAX_CLIPS });
    if (outcome === "full") {
      throw new HuishiError(
        "REHEARSAL_CLIPS_FULL",
        `There are ${MAX_CLIPS} clips already; delete one, or wait until one is a day old.`,
      );
    }
    return this.get(id);
  }

  /** @throws HuishiError REHEARSAL_CLIP_NOT_FOUND */
  async get(id: string): Promise<RehearsalClip> {
    return shown(await this.#find(id));
  }

  /**
   * Takes one chunk; the same one may come twice.
   *
   * @throws HuishiError REHEARSAL_CLIP_NOT_FOUND, NOT_ALLOWED, REHEARSAL_CHUNK_INVALID, REHEARSAL_CLIP_TYPE
   */
  async put(id: string, no: number, bytes: Uint8Array, user: User): Promise<RehearsalClip> {
    const clip = await this.#find(id);
    if (clip.userId !== user.id)
      throw new HuishiError("NOT_ALLOWED", "Only who announced a clip can send it.", { details: {} });
    const expected = no === clip.chunks - 1 ? clip.bytes - no * REHEARSAL_CHUNK_BYTES : REHEARSAL_CHUNK_BYTES;
    if (no >= clip.chunks || bytes.length !== expected) {
      throw new HuishiError(
        "REHEARSAL_CHUNK_INVALID",
        "There is no such chunk, or it is not as long as announced; send the clip anew.",
        { details: { no, bytes: bytes.length, expected: no >= clip.chunks ? 0 : expected } },
      );
    }
    if (no === 0 && clipTypeOf(bytes) === null) {
      await this.#store.delete(id);
      throw new HuishiError(
        "REHEARSAL_CLIP_TYPE",
        "This is no video that can be rehearsed on; give MP4, MKV, MPEG-TS, AVI or H.264.",
      );
    }
    await this.#store.addChunk(id, no, bytes);
    return this.get(id);
  }

  /** @throws HuishiError REHEARSAL_CLIP_NOT_FOUND */
  async delete(id: string): Promise<void> {
    if (!(await this.#store.delete(id))) throw notFound();
  }

  /** @throws HuishiError REHEARSAL_CLIP_NOT_FOUND, REHEARSAL_CLIP_INCOMPLETE */
  async requireComplete(id: string, cameraId: string): Promise<void> {
    const clip = await this.#find(id);
    if (clip.cameraId !== cameraId) throw notFound();
    if (clip.complete) return;
    throw new HuishiError(
      "REHEARSAL_CLIP_INCOMPLETE",
      "The clip has not come completely; send the missing chunks.",
      {
        details: { chunks: clip.chunks, received: clip.received },
      },
    );
  }

  async #find(id: string): Promise<StoredClip> {
    const clip = await this.#store.find(id);
    if (!clip) throw notFound();
    return clip;
  }
}

function shown({ userId: _userId, ...clip }: StoredClip): RehearsalClip {
  return clip;
}

const notFound = (): HuishiError =>
  new HuishiError(
    "REHEARSAL_CLIP_NOT_FOUND",
    "There is no such clip of this camera; clips are kept for a day. Upload it again.",
    { details: { field: "source" } },
  );
