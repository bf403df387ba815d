/**
 * Digest access authentication (RFC 7616 with MD5; the RFC 2617 and RFC 2069 forms for clients without qop) and,
 * where a service allows it, Basic (RFC 7617). Shared by RTSP and the snapshot. Pure: time is handed in.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type AuthResult =
  | "accepted"
  /** No credentials came: ask for them. */
  | "missing"
  /** Right form, old nonce: ask again with stale=true, without counting a failure. */
  | "stale"
  | "wrong";

const NONCE_LIFETIME_MS = 5 * 60_000;
export const REALM = "huishi-simulator";

/** Names of RFC 7616 §3.3 that we know. */
export type DigestAlgorithm = "MD5" | "SHA-256";

const hashText = (algorithm: DigestAlgorithm, text: string): string =>
  createHash(algorithm === "MD5" ? "md5" : "sha256")
    .update(text)
    .digest("hex");

function equalText(a: string, b: string): boolean {
  const left = createHash("sha256").update(a).digest();
  const right = createHash("sha256").update(b).digest();
  return timingSafeEqual(left, right);
}

/** Reads `name=value, name="quoted \" value"` (RFC 7235 §2.1). Anything else is skipped. */
export function parseAuthParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const match of text.matchAll(/([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g)) {
    parameters.set(
      (match[1] as string).toLowerCase(),
      match[2] === undefined ? (match[3] ?? "") : match[2].replace(/\\(.)/g, "$1"),
    );
  }
  return parameters;
}

export class DigestAuthenticator {
  readonly #credentials: Credentials;
  readonly #key: Uint8Array;
  readonly #nowMs: () => number;

  /** @param key random bytes that sign the nonces, so that no list of them is kept */
  constructor(credentials: Credentials, key: Uint8Array, nowMs: () => number) {
    this.#credentials = credentials;
    this.#key = key;
    this.#nowMs = nowMs;
  }

  /** The value of WWW-Authenticate. */
  challenge(stale = false, algorithm: DigestAlgorithm = "MD5"): string {
    const nonce = this.#nonce(this.#nowMs());
    return `Digest realm="${REALM}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ", stale=true" : ""}`;
  }

  /** Judges an Authorization header for a request with this method. */
  check(
    header: string | undefined,
    method: string,
    allowBasic = false,
    algorithm: DigestAlgorithm = "MD5",
  ): AuthResult {
    if (!header) return "missing";
    const [scheme = "", rest = ""] = splitOnce(header.trim(), " ");
    if (allowBasic && scheme.toLowerCase() === "basic") return this.#checkBasic(rest);
    return scheme.toLowerCase() === "digest"
      ? this.#checkDigest(parseAuthParameters(rest), method, algorithm)
      : "missing";
  }

  #checkBasic(encoded: string): AuthResult {
    const { username, password } = this.#credentials;
    return equalText(Buffer.from(encoded.trim(), "base64").toString(), `${username}:${password}`)
      ? "accepted"
      : "wrong";
  }

  #checkDigest(sent: Map<string, string>, method: string, algorithm: DigestAlgorithm): AuthResult {
    const { username, password } = this.#credentials;
    const nonce = sent.get("nonce") ?? "";
    const qop = sent.get("qop");
    if ((sent.get("algorithm") ?? "MD5").toUpperCase() !== algorithm || (qop !== undefined && qop !== "auth"))
      return "wrong";
    const digest = (text: string): string => hashText(algorithm, text);
    const secret = digest(`${username}:${REALM}:${password}`);
    const request = digest(`${method}:${sent.get("uri") ?? ""}`);
    const middle =
      qop === undefined ? nonce : `${nonce}:${sent.get("nc") ?? ""}:${sent.get("cnonce") ?? ""}:${qop}`;
    const isRight =
      equalText(sent.get("response") ?? "", digest(`${secret}:${middle}:${request}`)) &&
      sent.get("username") === username;
    if (!isRight) return "wrong";
    return this.#isFresh(nonce) ? "accepted" : "stale";
  }

  #nonce(atMs: number): string {
    const time = Math.floor(atMs).toString(16);
    return `${time}-${createHmac("sha256", this.#key).update(time).digest("hex").slice(0, 32)}`;
  }

  #isFresh(nonce: string): boolean {
    const atMs = Number.parseInt(nonce.split("-")[0] ?? "", 16);
    return (
      Number.isFinite(atMs) &&
      equalText(nonce, this.#nonce(atMs)) &&
      Math.abs(this.#nowMs() - atMs) < NONCE_LIFETIME_MS
    );
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
