import { messageOf } from "@huishi/kernel";
import { type Socket, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { EdgeError } from "../../domain/faults.ts";
import type { RtspAddress } from "../../domain/rtsp-address.ts";
import { MAX_MESSAGE_BYTES, type RtspReply, readMessage } from "./rtsp-reply.ts";

const DOLLAR = 0x24;
const INTERLEAVED_HEADER_BYTES = 4;

const READ_BYTES = 128 * 1024;

/** Reads into one buffer again and again: a fresh one for each read would cost more than the pictures. */
function openTcp(host: string, port: number, onBytes: (bytes: Buffer) => void): Socket {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  return connect({
    host,
    port,
    onread: {
      buffer,
      callback(bytes) {
        onBytes(buffer.subarray(0, bytes));
        return true;
      },
    },
  });
}

function openTls(host: string, port: number, onBytes: (bytes: Buffer) => void): Socket {
  // Cameras sign their own certificates; what counts here is that the password is not sent in clear.
  return connectTls({ host, port, rejectUnauthorized: false, servername: "" }).on("data", onBytes);
}

/** A packet that came between the messages (RFC 2326 §10.12). A view: copy what is to be kept. */
export type InterleavedListener = (channel: number, packet: Uint8Array) => void;

export interface WireOptions {
  /** For the connection, and for each answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Address to connect to instead of what the name resolves to. */
  readonly connectTo?: string | undefined;
}

interface Waiting {
  readonly cseq: number;
  readonly resolve: (reply: RtspReply) => void;
  readonly reject: (error: Error) => void;
}

/** One RTSP connection: requests and their answers, packets in between. Anything that is neither ends it. */
export class RtspWire {
  readonly #socket: Socket;
  readonly #host: string;
  readonly #timeoutMs: number;
  /** The beginning of what is not complete yet. */
  #rest = Buffer.allocUnsafe(READ_BYTES);
  #restBytes = 0;
  #sequence = 0;
  /** Requests on their way, oldest first; 0 stands for the connection itself. */
  #waiting: Waiting[] = [];
  #failure: Error | null = null;
  readonly #closed: Promise<Error>;
  #onInterleaved: InterleavedListener = () => undefined;

  private constructor(
    connectSocket: (onBytes: (bytes: Buffer) => void) => Socket,
    host: string,
    timeoutMs: number,
  ) {
    const socket = connectSocket((bytes) => this.#receive(bytes));
    this.#socket = socket;
    this.#host = host;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    this.#closed = new Promise((resolve) => {
      socket.on("error", (error) => this.#fail(this.#unreachable(error.message)));
      socket.on("close", () => {
        this.#fail(new EdgeError("RTSP_STREAM_ENDED", `${host} closed the connection`));
        resolve(this.#failure as Error);
      });
    });
  }

  /** @throws EdgeError CAMERA_UNREACHABLE */
  static async open(address: RtspAddress, options: WireOptions): Promise<RtspWire> {
    const { signal, timeoutMs } = options;
    signal.throwIfAborted();
    const { port } = address;
    const host = options.connectTo ?? address.host;
    const open = address.isSecure ? openTls : openTcp;
    const wire = new RtspWire((onBytes) => open(host, port, onBytes), `${address.host}:${port}`, timeoutMs);
    const socket = wire.#socket;
    const onAbort = (): void => wire.destroy(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
    await wire.#connected(address.isSecure ? "secureConnect" : "connect");
    return wire;
  }

  get host(): string {
    return this.#host;
  }

  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  /** Resolves with the reason when the connection is gone. */
  get closed(): Promise<Error> {
    return this.#closed;
  }

  onInterleaved(listener: InterleavedListener): void {
    this.#onInterleaved = listener;
  }

  /** @throws EdgeError CAMERA_UNREACHABLE, RTSP_PROTOCOL, RTSP_STREAM_ENDED */
  async request(method: string, uri: string, headers: Readonly<Record<string, string>>): Promise<RtspReply> {
    if (this.#failure) throw this.#failure;
    const cseq = ++this.#sequence;
    const lines = [
      `${method} ${uri} RTSP/1.0`,
      `CSeq: ${cseq}`,
      "User-Agent: huishi-edge-agent",
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    const timer = setTimeout(() => this.destroy(this.#unreachable("no answer in time")), this.#timeoutMs);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.push({ cseq, resolve, reject });
        this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  sendInterleaved(channel: number, packet: Uint8Array): void {
    if (this.#failure) return;
    const framed = Buffer.alloc(INTERLEAVED_HEADER_BYTES + packet.byteLength);
    framed[0] = DOLLAR;
    framed[1] = channel;
    framed.writeUInt16BE(packet.byteLength, 2);
    framed.set(packet, INTERLEAVED_HEADER_BYTES);
    this.#socket.write(framed);
  }

  /** Ends the connection; what waits for an answer is given the reason. */
  destroy(reason: Error): void {
    this.#fail(reason);
    this.#socket.destroy();
  }

  async #connected(event: "connect" | "secureConnect"): Promise<void> {
    const timer = setTimeout(() => this.destroy(this.#unreachable("no connection in time")), this.#timeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push({ cseq: 0, resolve: () => resolve(), reject });
        this.#socket.once(event, () => {
          this.#waiting = [];
          resolve();
        });
      });
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param chunk a view that is overwritten by the next read */
  #receive(chunk: Buffer): void {
    if (this.#failure) return;
    const bytes = this.#restBytes === 0 ? chunk : this.#append(chunk);
    let at = 0;
    while (at < bytes.length) {
      const used = bytes[at] === DOLLAR ? this.#takePacket(bytes, at) : this.#takeMessage(bytes.subarray(at));
      if (used === 0) break;
      // The listener may have ended the connection.
      if (used < 0 || this.#failure) return;
      at += used;
    }
    this.#keep(bytes, at);
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#restBytes + chunk.length;
    if (length > this.#rest.length) {
      const larger = Buffer.allocUnsafe(length + READ_BYTES);
      this.#rest.copy(larger, 0, 0, this.#restBytes);
      this.#rest = larger;
    }
    chunk.copy(this.#rest, this.#restBytes);
    this.#restBytes = length;
    return this.#rest.subarray(0, length);
  }

  /** What is incomplete waits for the rest: bounded by the longest message or packet. */
  #keep(bytes: Buffer, from: number): void {
    const length = bytes.length - from;
    if (length > this.#rest.length) this.#rest = Buffer.allocUnsafe(length + READ_BYTES);
    if (length > 0) bytes.copy(this.#rest, 0, from);
    this.#restBytes = length;
  }

  /** Bytes used; 0 when more must come. */
  #takePacket(bytes: Buffer, at: number): number {
    if (bytes.length - at < INTERLEAVED_HEADER_BYTES) return 0;
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    const end = at + INTERLEAVED_HEADER_BYTES + length;
    if (bytes.length < end) return 0;
    this.#onInterleaved(bytes[at + 1] as number, bytes.subarray(at + INTERLEAVED_HEADER_BYTES, end));
    return INTERLEAVED_HEADER_BYTES + length;
  }

  /** Bytes used; 0 when more must come, -1 when the connection was ended. */
  #takeMessage(bytes: Buffer): number {
    const message = readMessage(bytes);
    if (message.kind === "incomplete" && bytes.length <= MAX_MESSAGE_BYTES * 2) return 0;
    if (message.kind === "incomplete" || message.kind === "invalid") {
      this.destroy(new EdgeError("RTSP_PROTOCOL", `${this.#host} does not speak RTSP`));
      return -1;
    }
    if (message.kind === "request") this.#answer(message);
    else this.#settle(message.reply);
    return message.length;
  }

  /** Some cameras give no CSeq, or a wrong one: then it is the oldest request's answer. */
  #settle(reply: RtspReply): void {
    const cseq = Number(reply.headers.get("cseq")?.[0]);
    const named = this.#waiting.findIndex((waiting) => waiting.cseq === cseq);
    const [waiting] = this.#waiting.splice(Math.max(0, named), 1);
    waiting?.resolve(reply);
  }

  /** Cameras may probe us (OPTIONS, GET_PARAMETER); whatever else they ask is not done: a REDIRECT could lead anywhere. */
  #answer({ method, cseq }: { method: string; cseq: string }): void {
    const isProbe = method === "OPTIONS" || method === "GET_PARAMETER";
    const status = isProbe ? "200 OK" : "501 Not Implemented";
    if (/^\d{1,10}$/.test(cseq)) this.#socket.write(`RTSP/1.0 ${status}\r\nCSeq: ${cseq}\r\n\r\n`);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
  }

  #unreachable(why: string): EdgeError {
    return new EdgeError("CAMERA_UNREACHABLE", `no RTSP connection to ${this.#host} (${messageOf(why)})`);
  }
}
