import { messageOf } from "@huishi/kernel";
import { tellsOfLockOut } from "../../domain/camera-quirks.ts";
import { EdgeError } from "../../domain/faults.ts";
import { xmlFault } from "../../domain/xml-bounds.ts";
import type { ResolvedAddress } from "../network-guard/network-guard.ts";
import { type Account, authorization } from "../rtsp/digest.ts";
import { exchange, type HttpAnswer } from "./bounded-http.ts";

/** No honest answer of a device is larger. */
const MAX_ANSWER_BYTES = 512 * 1024;

export interface SoapQuestion {
  readonly path: string;
  readonly body: string;
  /** SOAP action, where the caller names one. */
  readonly action?: string | undefined;
  readonly deadlineMs: number;
  /** Default 512 KiB. */
  readonly maxBytes?: number;
}

/**
 * Sends SOAP requests to one device: always to the host and port that it was configured under, whatever addresses it
 * names for its services (a wrong one behind NAT, a hostile one anywhere). Answers are measured before anybody parses
 * them.
 */
export class SoapTransport {
  readonly #base: URL;
  readonly #to: ResolvedAddress;
  readonly #account: Account | null;
  readonly #signal: AbortSignal;

  /** @param options.account answers HTTP digest challenges; null where the account goes inside the XML */
  constructor(options: {
    readonly base: URL;
    readonly to: ResolvedAddress;
    readonly account: Account | null;
    readonly signal: AbortSignal;
  }) {
    this.#base = options.base;
    this.#to = options.to;
    this.#account = options.account;
    this.#signal = options.signal;
  }

  /**
   * Does the device ask for HTTP digest (ONVIF Core §5.9.1) instead of a WS-Security username token? Asked without any
   * credential, because a sign-in of the wrong kind would count as a wrong password, and cameras lock accounts.
   */
  async asksForDigest(path: string, deadlineMs: number): Promise<boolean> {
    const { status, challenges } = await this.#exchange({ path, body: QUESTION, deadlineMs });
    return status === 401 && challenges.some((challenge) => /^\s*digest\b/i.test(challenge));
  }

  /**
   * One question and its answer as text. A digest sign-in that is refused is not tried again.
   *
   * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_ANSWER_REFUSED, CAMERA_AUTH_FAILED, CAMERA_LOCKED_OUT, CAMERA_PROTOCOL
   */
  async ask(question: SoapQuestion): Promise<{ status: number; xml: string }> {
    let answer = await this.#exchange(question);
    if (answer.status === 401 && this.#account && answer.challenges.length > 0) {
      const uri = question.path;
      const header = authorization(answer.challenges, { method: "POST", uri }, this.#account);
      if (header !== null) answer = await this.#exchange(question, header);
    }
    const { status } = answer;
    const xml = answer.body.toString("utf8");
    const where = `the camera at ${this.#base.host}`;
    if (tellsOfLockOut(status, status === 200 ? "" : xml))
      throw new EdgeError("CAMERA_LOCKED_OUT", `${where} has locked the account`);
    if (status === 401) throw new EdgeError("CAMERA_AUTH_FAILED", `${where} refused the account`);
    if (status >= 300 && status < 400)
      throw new EdgeError("CAMERA_PROTOCOL", `${where} sends us elsewhere, which is not followed`);
    const fault = xmlFault(xml);
    if (fault !== null)
      throw new EdgeError("CAMERA_ANSWER_REFUSED", `${where} answered what is not read (${fault})`);
    return { status, xml };
  }

  #exchange(
    { path, body, action, deadlineMs, maxBytes = MAX_ANSWER_BYTES }: SoapQuestion,
    header?: string,
  ): Promise<HttpAnswer> {
    let url: URL;
    try {
      url = new URL(this.#base);
      [url.pathname = "/", url.search = ""] = splitPath(path);
    } catch (cause) {
      throw new EdgeError("CAMERA_PROTOCOL", `a path of the camera cannot be used (${messageOf(cause)})`);
    }
    const type = "application/soap+xml; charset=utf-8";
    return exchange({
      url,
      to: this.#to,
      method: "POST",
      body,
      maxBytes,
      deadlineMs,
      signal: this.#signal,
      headers: {
        "content-type": action === undefined ? type : `${type}; action="${action}"`,
        ...(header === undefined ? {} : { authorization: header }),
      },
    });
  }
}

function splitPath(path: string): [string, string] {
  const mark = path.indexOf("?");
  return mark < 0 ? [path, ""] : [path.slice(0, mark), path.slice(mark)];
}

const QUESTION =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
  '<GetDeviceInformation xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';
