import { encodeUploadChunk, MAX_UPLOAD_DATA_BYTES, uploadTopic } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import type { MediaLink, Uploader } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";

/** Chunks on their way. */
const WINDOW = 4;
/** Live media that waits in the connection: an upload goes on below it. */
const LIVE_QUEUE_BYTES = 256 * 1024;
const LOOK_MS = 100;
const RETRY_MS = 1_000;
/** The uplink's shares change: it is asked again at least so often. */
const MAX_WAIT_MS = 2_000;

type Content = Parameters<Uploader["upload"]>[1];

/** Uploads by the media connection at QoS 1: an acknowledged chunk is on the centre's disk. */
export class MqttUploader implements Uploader {
  readonly #link: MediaLink;
  readonly #agentId: string;
  readonly #waitMs: (bytes: number) => number;

  /** @param waitMs takes bytes from the site's uplink: how long they must wait, 0 when they may go now */
  constructor(link: MediaLink, agentId: string, waitMs: (bytes: number) => number = () => 0) {
    this.#link = link;
    this.#agentId = agentId;
    this.#waitMs = waitMs;
  }

  async upload(transferId: string, content: Content, signal: AbortSignal): Promise<void> {
    let acknowledged = 0;
    while (acknowledged < content.bytes) {
      await this.#untilFree(signal);
      const from = acknowledged;
      try {
        await this.#send(transferId, content, from, signal, (upTo) => (acknowledged = upTo));
      } catch (error) {
        signal.throwIfAborted();
        if (this.#link.isConnected && acknowledged === from && !isLinkFault(error))
          throw new EdgeError("UPLOAD_REFUSED", "the upload cannot go on", { cause: error });
        // It goes on from what was acknowledged.
        await sleep(RETRY_MS, signal);
      }
    }
  }

  async #send(
    transferId: string,
    content: Content,
    from: number,
    signal: AbortSignal,
    onAcknowledged: (upTo: number) => void,
  ): Promise<void> {
    const topic = uploadTopic(this.#agentId, transferId);
    const onItsWay: Promise<number>[] = [];
    // In order: what is acknowledged behind a lost chunk does not count.
    const settle = async (): Promise<void> => {
      const next = onItsWay.shift();
      if (next) onAcknowledged(await next);
    };
    let offset = from;
    try {
      for await (const data of rechunked(content.chunks(from), MAX_UPLOAD_DATA_BYTES)) {
        await this.#untilFree(signal);
        for (let ms = this.#waitMs(data.byteLength); ms > 0; ms = this.#waitMs(data.byteLength)) {
          await sleep(Math.min(ms, MAX_WAIT_MS), signal);
        }
        const end = offset + data.byteLength;
        const chunk = encodeUploadChunk({ offset, last: end >= content.bytes, data });
        const sent = this.#link.publishAcknowledged(topic, chunk);
        const noted = sent.then(() => end);
        // Looked at when its turn comes.
        noted.catch(() => undefined);
        onItsWay.push(noted);
        offset = end;
        if (onItsWay.length >= WINDOW) await settle();
      }
      while (onItsWay.length > 0) await settle();
    } finally {
      await Promise.allSettled(onItsWay);
    }
  }

  async #untilFree(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!this.#link.isConnected || this.#link.queuedBytes > LIVE_QUEUE_BYTES) await sleep(LOOK_MS, signal);
  }
}

/** A connection may end between two looks at it. */
function isLinkFault(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "SERVER_UNREACHABLE" || /clos|connect|disconnect/i.test((error as Error).message);
}

async function* rechunked(parts: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let left: Uint8Array = new Uint8Array(0);
  for await (const part of parts) {
    let rest: Uint8Array = left.byteLength === 0 ? part : Buffer.concat([left, part]);
    for (; rest.byteLength >= size; rest = rest.subarray(size)) yield rest.subarray(0, size);
    left = rest;
  }
  if (left.byteLength > 0) yield left;
}
