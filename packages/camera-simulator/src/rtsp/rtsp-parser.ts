/** Incremental parser for what an RTSP client sends: requests (RFC 2326 §6) and interleaved packets (§10.12). Pure. */
import { HuishiError } from "@huishi/kernel";

export interface RtspRequest {
  readonly kind: "request";
  readonly method: string;
  readonly uri: string;
  /** Names in lower case; the last one of a repeated header wins. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface InterleavedPacket {
  readonly kind: "interleaved";
  readonly channel: number;
  readonly data: Uint8Array;
}

export const MAX_HEADER_BYTES = 16 * 1024;
const MAX_BODY_BYTES = 64 * 1024;

/** Bytes that are not RTSP; the connection cannot be used further. */
export class RtspSyntaxError extends HuishiError {
  constructor(message: string) {
    super("RTSP_SYNTAX", message);
  }
}

const END_OF_HEADER = Buffer.from("\r\n\r\n");
const DOLLAR = 0x24;

/** Bytes in, messages out; memory is bounded by one message. */
export class RtspParser {
  #buffer: Buffer = Buffer.alloc(0);

  /** @throws RtspSyntaxError */
  push(chunk: Uint8Array): Array<RtspRequest | InterleavedPacket> {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    const messages: Array<RtspRequest | InterleavedPacket> = [];
    for (;;) {
      // Empty lines before a request are allowed (RFC 2326 §4 follows HTTP/1.1 §4.1).
      while (this.#buffer[0] === 13 || this.#buffer[0] === 10) this.#buffer = this.#buffer.subarray(1);
      const message = this.#buffer[0] === DOLLAR ? this.#takeInterleaved() : this.#takeRequest();
      if (!message) return messages;
      messages.push(message);
    }
  }

  #takeInterleaved(): InterleavedPacket | undefined {
    if (this.#buffer.length < 4) return undefined;
    const length = this.#buffer.readUInt16BE(2);
    if (this.#buffer.length < 4 + length) return undefined;
    const packet: InterleavedPacket = {
      kind: "interleaved",
      channel: this.#buffer[1] as number,
      data: this.#buffer.subarray(4, 4 + length),
    };
    this.#buffer = this.#buffer.subarray(4 + length);
    return packet;
  }

  #takeRequest(): RtspRequest | undefined {
    const end = this.#buffer.indexOf(END_OF_HEADER);
    if (end > MAX_HEADER_BYTES || (end < 0 && this.#buffer.length > MAX_HEADER_BYTES))
      throw new RtspSyntaxError("the request header is too long");
    if (end < 0) {
      if (this.#buffer.length > 0 && !/^[A-Z_]/.test(String.fromCharCode(this.#buffer[0] as number)))
        throw new RtspSyntaxError("not an RTSP request");
      return undefined;
    }
    const { method, uri, headers } = parseHead(this.#buffer.toString("latin1", 0, end));
    const length = parseContentLength(headers.get("content-length"));
    const total = end + END_OF_HEADER.length + length;
    if (this.#buffer.length < total) return undefined;
    const body = this.#buffer.subarray(total - length, total);
    this.#buffer = this.#buffer.subarray(total);
    return { kind: "request", method, uri, headers, body };
  }
}

function parseContentLength(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d{1,9}$/.test(text) || Number(text) > MAX_BODY_BYTES)
    throw new RtspSyntaxError("the Content-Length is not acceptable");
  return Number(text);
}

function parseHead(head: string): { method: string; uri: string; headers: Map<string, string> } {
  const [first = "", ...lines] = head.split("\r\n");
  const match = /^([A-Z_]{2,20}) (\S{1,2048}) RTSP\/1\.\d$/.exec(first);
  if (!match) throw new RtspSyntaxError("the request line is not RTSP/1.0");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) throw new RtspSyntaxError("a header has no name");
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: match[1] as string, uri: match[2] as string, headers };
}

/** One acceptable choice out of a Transport header (RFC 2326 §12.39). */
export type TransportChoice =
  | { readonly kind: "tcp"; readonly rtpChannel: number; readonly rtcpChannel: number }
  | { readonly kind: "udp"; readonly rtpPort: number; readonly rtcpPort: number };

function parsePair(text: string | undefined, max: number): readonly [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text ?? "");
  if (!match) return undefined;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return first <= max && second <= max && first !== second ? [first, second] : undefined;
}

/** The first of the client's offers that we can do: unicast RTP/AVP over TCP or UDP. Undefined: answer 461. */
export function chooseTransport(
  header: string | undefined,
  freeChannel: number,
): TransportChoice | undefined {
  for (const offer of (header ?? "").slice(0, 2048).split(",")) {
    const [profile = "", ...rest] = offer.split(";").map((part) => part.trim());
    const parameters = new Map(rest.map((part) => part.split("=") as [string, string | undefined]));
    if (parameters.has("multicast")) continue;
    if (/^RTP\/AVP\/TCP$/i.test(profile)) {
      const channels = parameters.has("interleaved")
        ? parsePair(parameters.get("interleaved"), 255)
        : ([freeChannel, freeChannel + 1] as const);
      if (channels) return { kind: "tcp", rtpChannel: channels[0], rtcpChannel: channels[1] };
    }
    if (/^RTP\/AVP(\/UDP)?$/i.test(profile)) {
      const ports = parsePair(parameters.get("client_port"), 65535);
      if (ports && ports[0] > 0) return { kind: "udp", rtpPort: ports[0], rtcpPort: ports[1] };
    }
  }
  return undefined;
}
