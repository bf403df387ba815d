import { tellsOfLockOut } from "../../domain/camera-quirks.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { RtspAddress } from "../../domain/rtsp-address.ts";
import { type Account, authorization } from "./digest.ts";
import type { RtspReply } from "./rtsp-reply.ts";
import { RtspWire, type WireOptions } from "./rtsp-wire.ts";

type Headers = Readonly<Record<string, string>>;

/**
 * RTSP requests with sign-in (RFC 2326, RFC 7616). An account is tried once, in answer to the camera's own challenge;
 * a camera that refuses it is not asked again. Redirects are refused: they could lead anywhere.
 */
export class RtspClient {
  readonly wire: RtspWire;
  readonly #address: RtspAddress;
  readonly #account: Account | null;
  #challenges: readonly string[] = [];
  #nonceCount = 0;
  /** The camera has taken the account on this connection: a later 401 means that its nonce is worn out. */
  #isAccepted = false;

  private constructor(wire: RtspWire, address: RtspAddress, account: Account | null) {
    this.wire = wire;
    this.#address = address;
    this.#account = account;
  }

  /** @throws EdgeError CAMERA_UNREACHABLE */
  static async open(
    address: RtspAddress,
    account: Account | null,
    options: WireOptions,
  ): Promise<RtspClient> {
    return new RtspClient(await RtspWire.open(address, options), address, account);
  }

  /**
   * Asks and, where the camera demands it, signs in. Answers of 200 and of the statuses in `expected` come back.
   *
   * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_AUTH_FAILED, CAMERA_LOCKED_OUT, RTSP_NOT_FOUND, RTSP_REDIRECT_REFUSED,
   *   RTSP_PROTOCOL
   */
  async request(
    method: string,
    uri: string,
    headers: Headers = {},
    expected: readonly number[] = [],
  ): Promise<RtspReply> {
    let reply = await this.#ask(method, uri, headers);
    if (reply.status === 401 && this.#mayAnswer(reply)) {
      this.#challenges = reply.headers.get("www-authenticate") ?? [];
      this.#nonceCount = 0;
      reply = await this.#ask(method, uri, headers);
    }
    if (reply.status === 200 || expected.includes(reply.status)) {
      if (this.#challenges.length > 0) this.#isAccepted = true;
      return reply;
    }
    throw this.#faultOf(reply);
  }

  /** DESCRIBE (RFC 2326 §10.2): the SDP, and the address that its relative ones start from. */
  async describe(): Promise<{ sdp: string; base: string }> {
    const { url } = this.#address;
    const reply = await this.request("DESCRIBE", url, { Accept: "application/sdp" });
    const base = reply.headers.get("content-base")?.[0] ?? reply.headers.get("content-location")?.[0] ?? url;
    return { sdp: reply.body, base };
  }

  /** Is it worth answering the challenge: not when this very account was refused. */
  #mayAnswer(reply: RtspReply): boolean {
    if (this.#account === null) return false;
    const isStale = (reply.headers.get("www-authenticate") ?? []).some((text) =>
      /stale\s*=\s*"?true/i.test(text),
    );
    return this.#challenges.length === 0 || isStale || this.#isAccepted;
  }

  async #ask(method: string, uri: string, headers: Headers): Promise<RtspReply> {
    if (this.#account === null || this.#challenges.length === 0)
      return this.wire.request(method, uri, headers);
    const header = authorization(this.#challenges, { method, uri }, this.#account, {
      nonceCount: ++this.#nonceCount,
    });
    if (header === null) throw this.#refused("asks for a sign-in of a kind that is not known");
    return this.wire.request(method, uri, { ...headers, Authorization: header });
  }

  #faultOf({ status, reason, headers, body }: RtspReply): EdgeError {
    const { host } = this.#address;
    // Cameras say it in the reason, in a header of the challenge, or in a text below.
    const said = [
      reason,
      ...(headers.get("www-authenticate") ?? []),
      ...(headers.get("warning") ?? []),
      body,
    ];
    if (tellsOfLockOut(status, said.join("\n")))
      return new EdgeError("CAMERA_LOCKED_OUT", `the camera at ${host} has locked the account`);
    if (status === 401 || status === 403) {
      return this.#refused(
        this.#account ? "refused the account" : "asks for an account and none is configured",
      );
    }
    const details = { details: { status } };
    if (status === 404 || status === 454) {
      return new EdgeError("RTSP_NOT_FOUND", `the camera at ${host} answered ${status}`, details);
    }
    if (status >= 300 && status < 400) {
      return new EdgeError("RTSP_REDIRECT_REFUSED", `the camera at ${host} answered ${status}`, details);
    }
    return new EdgeError("RTSP_PROTOCOL", `the camera at ${host} answered ${status}`, details);
  }

  #refused(what: string): EdgeError {
    return new EdgeError("CAMERA_AUTH_FAILED", `the camera at ${this.#address.host} ${what}`);
  }
}
