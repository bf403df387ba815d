import { HuishiError } from "@huishi/kernel";

/** What a NATS server says (NATS client protocol, docs.nats.io/reference/reference-protocols/nats-protocol). */
export type NatsFrame =
  | { readonly op: "INFO"; readonly info: string }
  | { readonly op: "MSG"; readonly subject: string; readonly sid: number; readonly payload: Buffer }
  | { readonly op: "PING" | "PONG" | "OK" }
  | { readonly op: "ERR"; readonly reason: string };

/** INFO lists a cluster's addresses and is the longest line there is. */
const MAX_LINE_BYTES = 64 * 1024;
/** The largest that a server can be configured to take (`max_payload`, 64 MiB) is never what the bus sends. */
const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;
const CRLF = "\r\n";

interface Message {
  readonly subject: string;
  readonly sid: number;
  readonly bytes: number;
}

/** Cuts a stream of bytes into frames. Holds one incomplete frame at most. Error: NATS_PROTOCOL. */
export class NatsParser {
  #chunks: Buffer[] = [];
  #held = 0;
  #message: Message | null = null;

  /** Takes the next bytes and gives the frames that are complete. A payload may be a view of `chunk`. */
  push(chunk: Buffer): NatsFrame[] {
    this.#chunks.push(chunk);
    this.#held += chunk.byteLength;
    const frames: NatsFrame[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): NatsFrame | null {
    if (this.#message) return this.#finishMessage(this.#message);
    const bytes = this.#joined();
    const end = bytes.indexOf(CRLF);
    if (end > MAX_LINE_BYTES || (end < 0 && bytes.byteLength > MAX_LINE_BYTES))
      throw new HuishiError("NATS_PROTOCOL", "the NATS server sent a line that never ends");
    if (end < 0) return null;
    const line = bytes.toString("latin1", 0, end);
    this.#keep(bytes.subarray(end + 2));
    if (!/^MSG\s/i.test(line)) return frameOf(line, bytes.toString("utf8", 0, end));
    this.#message = messageOf(line);
    return this.#finishMessage(this.#message);
  }

  #finishMessage(message: Message): NatsFrame | null {
    if (this.#held < message.bytes + 2) return null;
    const bytes = this.#joined();
    this.#keep(bytes.subarray(message.bytes + 2));
    this.#message = null;
    const { subject, sid } = message;
    return { op: "MSG", subject, sid, payload: bytes.subarray(0, message.bytes) };
  }

  #joined(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#held)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.byteLength > 0 ? [rest] : [];
    this.#held = rest.byteLength;
  }
}

function frameOf(line: string, text: string): NatsFrame {
  const [word = ""] = line.split(/\s/, 1);
  switch (word.toUpperCase()) {
    case "INFO":
      return { op: "INFO", info: text.slice(5) };
    case "PING":
    case "PONG":
      return { op: word.toUpperCase() as "PING" | "PONG" };
    case "+OK":
      return { op: "OK" };
    case "-ERR":
      return { op: "ERR", reason: line.slice(5).replaceAll("'", "") };
    default:
      throw new HuishiError("NATS_PROTOCOL", "what answers at the NATS address is no NATS server");
  }
}

/** `MSG <subject> <sid> [reply-to] <bytes>` */
function messageOf(line: string): Message {
  const parts = line.split(/\s+/);
  const bytes = Number(parts.at(-1));
  const sid = Number(parts[2]);
  if (
    parts.length < 4 ||
    parts.length > 5 ||
    !Number.isInteger(sid) ||
    !(bytes >= 0 && bytes <= MAX_PAYLOAD_BYTES)
  )
    throw new HuishiError("NATS_PROTOCOL", "the NATS server sent a message that cannot be read");
  return { subject: parts[1] as string, sid, bytes };
}
