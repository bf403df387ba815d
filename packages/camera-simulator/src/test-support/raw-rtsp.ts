/** A bare RTSP client over TCP that takes whatever comes: what arrived on the wire, not what a library makes of it. */
import { createHash } from "node:crypto";
import { type Socket, connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface RtpPacket {
  readonly sequence: number;
  readonly timestamp: number;
  readonly payload: Buffer;
}

export class RawRtsp {
  readonly #socket: Socket;
  readonly #url: string;
  #buffer = Buffer.alloc(0);
  #cseq = 0;
  bytes = 0;
  closed = false;

  private constructor(socket: Socket, url: string) {
    this.#socket = socket;
    this.#url = url;
    socket.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
    });
    socket.on("error", () => undefined);
    socket.on("close", () => (this.closed = true));
  }

  static async open(url: string): Promise<RawRtsp> {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new RawRtsp(socket, url);
  }

  /** Sends a request; resolves with the head and body of the answer, or "" after `waitMs`. */
  async ask(method: string, { path = "", headers = "", waitMs = 3000 } = {}): Promise<string> {
    this.#cseq += 1;
    this.#socket.write(`${method} ${this.#url}${path} RTSP/1.0\r\nCSeq: ${this.#cseq}\r\n${headers}\r\n`);
    for (const endMs = performance.now() + waitMs; performance.now() < endMs; await delay(10)) {
      const text = this.#buffer.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, Math.max(end, 0)))?.[1] ?? 0);
      if (end < 0 || text.length < end + 4 + length) continue;
      this.#buffer = this.#buffer.subarray(end + 4 + length);
      return text.slice(0, end + 4 + length);
    }
    return "";
  }

  /** SETUP inside the connection and PLAY; resolves with the answer to PLAY. */
  async play(waitMs = 3000): Promise<string> {
    const setup = await this.ask("SETUP", {
      path: "/trackID=0",
      headers: "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
    });
    const session = /^Session: (\w+)/m.exec(setup)?.[1] ?? "";
    return this.ask("PLAY", { headers: `Session: ${session}\r\n`, waitMs });
  }

  /** RTP packets that lie in well-formed frames; `skipped` bytes were none. */
  packets(): { readonly packets: RtpPacket[]; readonly skipped: number } {
    const packets: RtpPacket[] = [];
    let skipped = 0;
    for (let at = 0; at + 16 <= this.#buffer.length;) {
      if (this.#buffer[at] !== 0x24) {
        skipped += 1;
        at += 1;
        continue;
      }
      const length = this.#buffer.readUInt16BE(at + 2);
      if (at + 4 + length > this.#buffer.length) break;
      if (this.#buffer[at + 1] === 0)
        packets.push({
          sequence: this.#buffer.readUInt16BE(at + 6),
          timestamp: this.#buffer.readUInt32BE(at + 8),
          payload: this.#buffer.subarray(at + 16, at + 4 + length),
        });
      at += 4 + length;
    }
    return { packets, skipped };
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The Authorization header that a challenge asks for (RFC 7616). */
export function digestAnswer(
  challenge: string,
  account: { readonly username: string; readonly password: string },
  { method, uri }: { readonly method: string; readonly uri: string },
): string {
  const field = (name: string): string => new RegExp(`${name}="?([^",]+)`).exec(challenge)?.[1] ?? "";
  const algorithm = field("algorithm");
  const hash = (text: string): string =>
    createHash(algorithm === "SHA-256" ? "sha256" : "md5")
      .update(text)
      .digest("hex");
  const { username, password } = account;
  const secret = hash(`${username}:${field("realm")}:${password}`);
  const response = hash(`${secret}:${field("nonce")}:00000001:ab:auth:${hash(`${method}:${uri}`)}`);
  return (
    `Authorization: Digest username="${username}", realm="${field("realm")}", nonce="${field("nonce")}", ` +
    `uri="${uri}", algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="ab", response="${response}"\r\n`
  );
}
