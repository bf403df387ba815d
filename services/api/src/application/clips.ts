// Clips of the recordings at the agents: who asked for which, and why; and what came.
import { type Clip, type ClipRequest, MAX_CLIP_MS, type SignedText } from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { picturesOf } from "@huishi/platform";
import { randomUUID } from "node:crypto";
import { Mp4Remuxer } from "./clip-remux.ts";
import { cameraNotFound } from "./cameras.ts";
import type { User } from "./identity.ts";
import type { LookStore } from "./looks.ts";

export interface ClipStore {
  /** False when there is no such camera. */
  add(
    clip: ClipRequest & { readonly id: string; readonly cameraId: string; readonly by: string },
  ): Promise<boolean>;
  /** Newest first, at most 200. */
  ofCamera(cameraId: string): Promise<Clip[]>;
  find(id: string): Promise<Clip | null>;
  manifest(id: string): Promise<SignedText | null>;
  /** Ingest says that nothing more fits, and that nothing may go. */
  isFull(): Promise<boolean>;
}

export interface ClipFiles {
  /** The picture records; null when the file is not here. */
  pictures(clipId: string): Promise<AsyncIterable<Uint8Array> | null>;
}

export interface ClipsOptions {
  readonly store: ClipStore;
  /** null: this server keeps none. */
  readonly files: ClipFiles | null;
  readonly looks: LookStore;
  readonly clock: Clock;
}

export interface ClipMedia {
  readonly type: string;
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export class Clips {
  readonly #options: ClipsOptions;

  constructor(options: ClipsOptions) {
    this.#options = options;
  }

  /**
   * Asks for a clip; it comes when the agent is online. The look is written down with its purpose.
   *
   * @throws HuishiError CLIPS_NOT_KEPT, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG, CAMERA_NOT_FOUND, CLIP_STORE_FULL
   */
  async request(cameraId: string, wanted: ClipRequest, person: User): Promise<Clip> {
    const { store, clock } = this.#options;
    if (!this.#options.files) throw notKept();
    const { fromMs, toMs, profile, purpose } = wanted;
    if (toMs <= fromMs || fromMs > clock.nowMs())
      throw new HuishiError("TIME_RANGE_INVALID", "Give a time that has been, from before to.");
    if (toMs - fromMs > MAX_CLIP_MS)
      throw new HuishiError("TIME_RANGE_TOO_LONG", "One clip is at most 15 minutes; ask for several.");
    if (await store.isFull()) throw full();
    const id = randomUUID();
    if (!(await store.add({ ...wanted, id, cameraId, by: person.userName }))) throw cameraNotFound(cameraId);
    await this.#note(person, { cameraId, profile }, purpose);
    return this.get(id);
  }

  ofCamera(cameraId: string): Promise<Clip[]> {
    return this.#options.store.ofCamera(cameraId);
  }

  /** @throws HuishiError CLIP_NOT_FOUND */
  async get(id: string): Promise<Clip> {
    const clip = await this.#options.store.find(id);
    if (!clip) throw notFound();
    return clip;
  }

  /** @throws HuishiError CLIP_NOT_FOUND, CLIP_NOT_READY */
  async manifest(id: string): Promise<SignedText> {
    const manifest = await this.#options.store.manifest(id);
    if (manifest) return manifest;
    await this.get(id);
    throw notReady();
  }

  /**
   * The pictures, as `.mp4` or in the camera's own bitstream. The look is written down.
   *
   * @throws HuishiError CLIPS_NOT_KEPT, CLIP_NOT_FOUND, CLIP_NOT_READY, CLIP_NO_MP4
   */
  async media(id: string, format: "mp4" | "raw", person: User): Promise<ClipMedia> {
    const { files } = this.#options;
    if (!files) throw notKept();
    const clip = await this.get(id);
    if (clip.state !== "ready") throw notReady();
    const manifest = JSON.parse((await this.manifest(id)).text) as { codec: "h264" | "h265" };
    const { codec } = manifest;
    if (format === "mp4" && codec !== "h264")
      throw new HuishiError("CLIP_NO_MP4", "This clip is H.265: fetch it with format=raw.");
    const records = await files.pictures(id);
    if (!records) throw notFound();
    await this.#note(person, clip, clip.purpose);
    const name = `${clip.cameraId}-${new Date(clip.fromMs).toISOString().replaceAll(/[:.]/g, "-")}`;
    return format === "raw"
      ? { type: "application/octet-stream", name: `${name}.${codec}`, bytes: bitstream(records) }
      : { type: "video/mp4", name: `${name}.mp4`, bytes: new Mp4Remuxer().remux(picturesOf(records)) };
  }

  async #note(
    person: User,
    watch: { cameraId: string; profile: "main" | "sub" },
    purpose: string,
  ): Promise<void> {
    const { looks } = this.#options;
    const { cameraId, profile } = watch;
    await looks.endLooks(await looks.startLooks(person, [{ cameraId, profile }], purpose));
  }
}

async function* bitstream(records: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const { annexB } of picturesOf(records)) yield annexB;
}

const notFound = (): HuishiError => new HuishiError("CLIP_NOT_FOUND", "There is no such clip.");
const notReady = (): HuishiError =>
  new HuishiError("CLIP_NOT_READY", "The clip has not come (yet); look at its state.");
const full = (): HuishiError =>
  new HuishiError(
    "CLIP_STORE_FULL",
    "There is no room for clips, and none may go: lower the policy's minimum, release a hold, or give it a larger disk.",
  );
const notKept = (): HuishiError =>
  new HuishiError("CLIPS_NOT_KEPT", "This server keeps no clips; set HUISHI_CLIPS_DIR for ingest and api.");
