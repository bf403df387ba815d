// The agent's own log, sent to the centre when somebody asks for it.
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { EdgeError } from "../domain/faults.ts";
import type { CommandHandler, Log, Uploader } from "./ports.ts";

/** What the logger wrote; secrets are out of it already. */
export interface LogSource {
  /** The newest whole lines, at most so many bytes. */
  newest(maxBytes: number): Promise<Buffer>;
}

/** Logs that are on their way. Overflow policy: `refuseNewest`, UPLOAD_QUEUE_FULL. */
const MAX_SENDING = 2;

/** Answers `logs` with the size, and sends them (gzip) after that. */
export class LogCommands {
  readonly #options: { readonly source: LogSource; readonly uploader: Uploader; readonly log: Log };
  readonly #sending = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: { readonly source: LogSource; readonly uploader: Uploader; readonly log: Log }) {
    this.#options = options;
  }

  readonly logs: CommandHandler<"logs"> = async ({ maxBytes, transferId }) => {
    if (this.#sending.has(transferId)) return { known: true };
    if (this.#sending.size >= MAX_SENDING) throw new EdgeError("UPLOAD_QUEUE_FULL", "other logs wait");
    const text = await this.#options.source.newest(maxBytes);
    const packed = await promisify(gzip)(text);
    const sent = this.#send(transferId, packed).finally(() => this.#sending.delete(transferId));
    this.#sending.set(transferId, sent);
    return { bytes: packed.byteLength, textBytes: text.byteLength };
  };

  async close(): Promise<void> {
    this.#stop.abort(new Error("the agent stops"));
    await Promise.all(this.#sending.values());
  }

  async #send(transferId: string, packed: Buffer): Promise<void> {
    const { uploader, log } = this.#options;
    const content = {
      bytes: packed.byteLength,
      // oxlint-disable-next-line require-await
      async *chunks(fromByte: number) {
        yield packed.subarray(fromByte);
      },
    };
    try {
      await uploader.upload(transferId, content, this.#stop.signal);
      log.info({ transferId, bytes: packed.byteLength }, "logs sent");
    } catch (err) {
      if (!this.#stop.signal.aborted) log.warn({ transferId, err }, "the logs could not be sent");
    }
  }
}
