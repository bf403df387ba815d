// What the centre can ask of the recordings.
import { MAX_CLIP_MS } from "@huishi/contracts";
import { EdgeError } from "../domain/faults.ts";
import type { CommandHandler, Log, Uploader } from "./ports.ts";
import type { PreparedClip, RecordingStore } from "./recording.ts";

/** Clips that wait to be sent; one goes at a time. Overflow policy: `refuseNewest`, UPLOAD_QUEUE_FULL. */
const MAX_WAITING = 16;

interface Transfer {
  readonly id: string;
  readonly clip: PreparedClip;
}

/** Answers `recordings` and `clip`; a clip is answered when it is ready and sent after that. */
export class RecordingCommands {
  readonly #store: RecordingStore;
  readonly #uploader: Uploader;
  readonly #log: Log;
  readonly #waiting: Transfer[] = [];
  readonly #known = new Set<string>();
  readonly #stop = new AbortController();
  #sending: Promise<void> | null = null;

  constructor(parts: { readonly store: RecordingStore; readonly uploader: Uploader; readonly log: Log }) {
    this.#store = parts.store;
    this.#uploader = parts.uploader;
    this.#log = parts.log;
  }

  readonly recordings: CommandHandler<"recordings"> = async (body) => ({ ...this.#store.list(body) });

  readonly clip: CommandHandler<"clip"> = async (body, signal) => {
    const { transferId, fromMs, toMs } = body;
    if (toMs <= fromMs || toMs - fromMs > MAX_CLIP_MS)
      throw new EdgeError("RECORDING_RANGE", "this range cannot be one clip");
    // Asked for again while it is on its way.
    if (this.#known.has(transferId)) return { known: true };
    if (this.#known.size >= MAX_WAITING) throw new EdgeError("UPLOAD_QUEUE_FULL", "too many clips wait");
    this.#known.add(transferId);
    try {
      const clip = await this.#store.prepareClip(body, signal);
      this.#waiting.push({ id: transferId, clip });
      this.#sending ??= this.#send().finally(() => (this.#sending = null));
      return { fromMs: clip.fromMs, toMs: clip.toMs, bytes: clip.bytes, gaps: clip.gaps.slice(0, 100) };
    } catch (error) {
      this.#known.delete(transferId);
      throw error;
    }
  };

  async close(): Promise<void> {
    this.#stop.abort(new Error("the agent stops"));
    await this.#sending;
    for (const { clip } of this.#waiting.splice(0)) clip.release();
  }

  async #send(): Promise<void> {
    const { signal } = this.#stop;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      const { id, clip } = next;
      try {
        await this.#uploader.upload(id, clip, signal);
        this.#log.info({ transferId: id, bytes: clip.bytes }, "clip sent");
      } catch (err) {
        if (!signal.aborted) this.#log.warn({ transferId: id, err }, "a clip could not be sent");
      } finally {
        clip.release();
        this.#known.delete(id);
      }
    }
  }
}
