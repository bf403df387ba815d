/** RTSP messages as they come from a camera (RFC 2326 §4, §10.12), read from the front of a byte stream. */

export const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_HEADERS = 100;

export interface RtspReply {
  readonly status: number;
  /** What the camera says behind the status. */
  readonly reason: string;
  /** Lower-case names; several headers of one name are kept apart. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}

/** What stands at the front of the bytes. */
export type Incoming =
  | { readonly kind: "incomplete" }
  | { readonly kind: "invalid" }
  | { readonly kind: "reply"; readonly length: number; readonly reply: RtspReply }
  /** The camera asks something of us. */
  | { readonly kind: "request"; readonly length: number; readonly method: string; readonly cseq: string };

/** Reads one message; interleaved data (`$`) is not its matter. */
export function readMessage(bytes: Buffer): Incoming {
  const headEnd = bytes.subarray(0, MAX_MESSAGE_BYTES).indexOf("\r\n\r\n");
  if (headEnd < 0)
    return { kind: isPossibleStart(bytes) && bytes.length < MAX_MESSAGE_BYTES ? "incomplete" : "invalid" };
  const [startLine = "", ...headerLines] = bytes.subarray(0, headEnd).toString("utf8").split("\r\n");
  if (headerLines.length > MAX_HEADERS) return { kind: "invalid" };
  const headers = readHeaders(headerLines);
  const bodyBytes = Number(headers.get("content-length")?.[0] ?? "0");
  if (!Number.isInteger(bodyBytes) || bodyBytes < 0 || bodyBytes > MAX_MESSAGE_BYTES)
    return { kind: "invalid" };
  const length = headEnd + 4 + bodyBytes;
  const [, status, reason = ""] = /^RTSP\/[12]\.\d (\d{3})\b(.*)$/.exec(startLine) ?? [];
  const method = /^([A-Z_]{3,20}) \S+ RTSP\/[12]\.\d$/.exec(startLine)?.[1];
  if (status === undefined && method === undefined) return { kind: "invalid" };
  if (bytes.length < length) return { kind: "incomplete" };
  if (method !== undefined) return { kind: "request", length, method, cseq: headers.get("cseq")?.[0] ?? "0" };
  const body = bytes.subarray(headEnd + 4, length).toString("utf8");
  return { kind: "reply", length, reply: { status: Number(status), reason: reason.trim(), headers, body } };
}

/** A message begins with an upper-case word: anything else is garbage, told before its end is waited for. */
function isPossibleStart(bytes: Buffer): boolean {
  return /^(?:$|[A-Z_]{1,20}(?:$|[/ ]))/.test(bytes.subarray(0, 24).toString("latin1"));
}

function readHeaders(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return headers;
}
