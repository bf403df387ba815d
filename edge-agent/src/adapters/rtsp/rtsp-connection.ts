import { messageOf } from "@huishi/kernel";
import { type Socket, connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { EdgeError } from "../../domain/faults.ts";
import type { RtspAddress } from "../../domain/rtsp-address.ts";

const MAX_REPLY_BYTES = 256 * 1024;

export interface RtspReply {
  readonly status: number;
  /** Lower-case names; several headers of one name are kept apart. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/**
 * One RTSP connection that asks and answers in turn (RFC 2326 §10). It exists to look at a camera, not to play:
 * pictures are ffmpeg's work.
 */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #buffer = Buffer.alloc(0);
  #sequence = 0;
  #waiting: { resolve: (reply: RtspReply) => void; reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on("data", (bytes) => this.#receive(bytes));
    socket.on("error", (error) => this.#fail(this.#unreachable(error.message)));
    socket.on("close", () => this.#fail(this.#unreachable("it closed the connection")));
  }

  /** @throws EdgeError CAMERA_UNREACHABLE */
  static async open(address: RtspAddress, timeoutMs: number, signal: AbortSignal): Promise<RtspConnection> {
    signal.throwIfAborted();
    const { host, port } = address;
    // Cameras sign their own certificates; what counts here is that the password is not sent in clear.
    const socket = address.isSecure
      ? connectTls({ host, port, rejectUnauthorized: false })
      : connect({ host, port });
    const connection = new RtspConnection(socket, `${host}:${port}`);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error("no answer in time")));
    const onAbort = (): void => void socket.destroy(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
    await new Promise<void>((resolve, reject) => {
      connection.#waiting = { resolve: () => resolve(), reject };
      socket.once(address.isSecure ? "secureConnect" : "connect", () => {
        connection.#waiting = null;
        resolve();
      });
    });
    return connection;
  }

  async request(method: string, uri: string, headers: Record<string, string> = {}): Promise<RtspReply> {
    if (this.#failure) throw this.#failure;
    const lines = [
      `${method} ${uri} RTSP/1.0`,
      `CSeq: ${++this.#sequence}`,
      "User-Agent: huishi-edge-agent",
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#buffer.length > MAX_REPLY_BYTES) {
      this.#fail(new EdgeError("RTSP_PROTOCOL", `${this.#host} sent more than an RTSP answer`));
      this.#socket.destroy();
      return;
    }
    const parsed = parseReply(this.#buffer);
    if (parsed === "incomplete") return;
    if (parsed === "invalid") {
      this.#fail(new EdgeError("RTSP_PROTOCOL", `${this.#host} does not speak RTSP`));
      this.#socket.destroy();
      return;
    }
    this.#buffer = this.#buffer.subarray(parsed.length);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(parsed.reply);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(this.#failure);
  }

  #unreachable(why: string): EdgeError {
    return new EdgeError("CAMERA_UNREACHABLE", `no RTSP connection to ${this.#host} (${messageOf(why)})`);
  }
}

/** Reads one reply from the front of the bytes (RFC 2326 §7). */
export function parseReply(bytes: Buffer): { reply: RtspReply; length: number } | "incomplete" | "invalid" {
  const start = bytes.subarray(0, 5).toString("latin1");
  if (!"RTSP/".startsWith(start)) return "invalid";
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return "incomplete";
  const [statusLine = "", ...headerLines] = bytes.subarray(0, headEnd).toString("utf8").split("\r\n");
  const status = Number(/^RTSP\/[12]\.\d (\d{3})\b/.exec(statusLine)?.[1]);
  if (!Number.isInteger(status)) return "invalid";
  const headers = new Map<string, string[]>();
  for (const line of headerLines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  const bodyBytes = Number(headers.get("content-length")?.[0] ?? "0");
  if (!Number.isInteger(bodyBytes) || bodyBytes < 0 || bodyBytes > MAX_REPLY_BYTES) return "invalid";
  const length = headEnd + 4 + bodyBytes;
  if (bytes.length < length) return "incomplete";
  return { reply: { status, headers, body: bytes.subarray(headEnd + 4, length).toString("utf8") }, length };
}
