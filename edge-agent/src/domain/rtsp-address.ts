import { EdgeError } from "./faults.ts";

/** An RTSP address without credentials, and the credentials that stood in it. */
export interface RtspAddress {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly username?: string;
  readonly password?: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "rtsp:": 554, "rtsps:": 322 };

/**
 * Takes an RTSP address apart. Only rtsp:// and rtsps:// (RFC 2326 §3.2, RFC 7826 §4.2); anything else could
 * make ffmpeg open files, pipes or other services (server-side request forgery).
 *
 * @throws EdgeError RTSP_URL_REFUSED
 */
export function parseRtspAddress(text: string): RtspAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const defaultPort = url ? DEFAULT_PORTS[url.protocol] : undefined;
  if (!url || defaultPort === undefined || url.hostname === "" || /[\s\p{Cc}]/u.test(text)) {
    throw new EdgeError("RTSP_URL_REFUSED", "the stream address is not an RTSP address");
  }
  const username = decode(url.username);
  const password = decode(url.password);
  url.username = "";
  url.password = "";
  return {
    url: url.href,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort : Number(url.port),
    isSecure: url.protocol === "rtsps:",
    ...(username === "" ? {} : { username, password }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address a camera named, on the host we reached it by: behind NAT it names another one, and a hostile
 * camera could name anybody's. */
export function onHost(text: string, host: string): string {
  const { url } = parseRtspAddress(text);
  const moved = new URL(url);
  moved.hostname = host.includes(":") ? `[${host}]` : host;
  return moved.href;
}

/** Path and port of the address, for logs and ids: no query, which may hold a token. */
export function shortAddress(text: string): string {
  const { host, port, url } = parseRtspAddress(text);
  return `${host}:${port}${new URL(url).pathname}`;
}
