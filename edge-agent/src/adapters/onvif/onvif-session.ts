import { messageOf } from "@huishi/kernel";
import { tellsOfLockOut } from "../../domain/camera-quirks.ts";
import { EdgeError, edgeFaultCode } from "../../domain/faults.ts";
import type { ResolvedAddress } from "../network-guard/network-guard.ts";
import type { Account } from "../rtsp/digest.ts";
import { listOf } from "./foreign-tree.ts";
import { type Callback, type OnvifClient, openClient } from "./onvif-library.ts";
import { escapeText } from "./ptz-requests.ts";
import { SoapTransport } from "./soap-transport.ts";

const TIMEOUT_MS = 5_000;
/** Whole time of one call, with the sign-in. */
const CALL_DEADLINE_MS = 10_000;

export interface OnvifAnswer {
  readonly data: unknown;
  readonly xml: string;
}

export interface OnvifTarget {
  /** Device service. */
  readonly serviceUrl: string;
  /** Null asks only what needs no sign-in. */
  readonly account: Account | null;
  /** The guard of the site's networks (`NetworkGuard.assertReachable`). */
  readonly reach: (host: string, signal: AbortSignal) => Promise<ResolvedAddress>;
}

type Call = (client: OnvifClient, done: Callback) => void;

/**
 * One conversation with an ONVIF device. Calls are promises: the library calls back twice when a callback
 * throws, and a promise does not mind. Closing it ends every request.
 */
export class OnvifSession {
  readonly client: OnvifClient;
  /** Ends with the session. */
  readonly signal: AbortSignal;
  readonly #host: string;
  readonly #stop: AbortController;

  private constructor(client: OnvifClient, host: string, signal: AbortSignal, stop: AbortController) {
    this.client = client;
    this.#host = host;
    this.signal = signal;
    this.#stop = stop;
  }

  /** @throws EdgeError CAMERA_UNREACHABLE, ADDRESS_OUTSIDE_SITE */
  static async open({ serviceUrl, account, reach }: OnvifTarget, outer: AbortSignal): Promise<OnvifSession> {
    const url = new URL(serviceUrl);
    const to = await reach(url.hostname, outer);
    const stop = new AbortController();
    const signal = AbortSignal.any([outer, stop.signal]);
    const parts = { base: url, to, signal };
    const path = url.pathname + url.search;
    const usesDigest =
      account !== null &&
      (await new SoapTransport({ ...parts, account: null }).asksForDigest(path, TIMEOUT_MS));
    const client = openClient({
      hostname: to.host,
      port: url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port),
      path,
      useWSSecurity: !usesDigest,
      transport: new SoapTransport({ ...parts, account: usesDigest ? account : null }),
      timeout: TIMEOUT_MS,
      // In a username token the name stands in XML, and the library does not escape it.
      ...(account && !usesDigest && { username: escapeText(account.username), password: account.password }),
    });
    return new OnvifSession(client, url.host, signal, stop);
  }

  /** @throws EdgeError CAMERA_UNREACHABLE, CAMERA_AUTH_FAILED, CAMERA_LOCKED_OUT, CAMERA_ANSWER_REFUSED, CAMERA_PROTOCOL */
  async call(call: Call, deadlineMs = CALL_DEADLINE_MS): Promise<OnvifAnswer> {
    this.signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<OnvifAnswer>((resolve, reject) => {
        timer = setTimeout(() => reject(this.#unreachable("no answer in time")), deadlineMs);
        onAbort = () => reject(this.signal.reason as Error);
        this.signal.addEventListener("abort", onAbort, { once: true });
        call(this.client, (error, data, xml, statusCode) => {
          if (error) reject(this.#fault(error, xml ?? "", statusCode));
          else resolve({ data, xml: typeof xml === "string" ? xml : "" });
        });
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) this.signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * A request of our own inside the library's envelope: its calls for PTZ and imaging take a missing pan or a
   * brightness of 0 for something else, and escape nothing.
   *
   * @param inner the operation's element, texts escaped
   */
  ask(service: string, inner: string): Promise<OnvifAnswer> {
    return this.call((client, done) =>
      client._request({ service, body: client._envelopeHeader() + inner + client._envelopeFooter() }, done),
    );
  }

  close(): void {
    this.#stop.abort(new Error("the conversation is over"));
  }

  #fault(error: unknown, xml: string, statusCode: number | undefined): Error {
    if (error instanceof EdgeError) return error;
    const said = messageOf(error);
    if (tellsOfLockOut(statusCode, `${said} ${xml}`))
      return new EdgeError("CAMERA_LOCKED_OUT", `the camera at ${this.#host} has locked the account`);
    if (
      /not ?authori[sz]ed|unauthori[sz]ed|authentication failed|FailedAuthentication/i.test(
        `${said} ${xml.slice(0, 4_096)}`,
      )
    ) {
      return new EdgeError("CAMERA_AUTH_FAILED", `the camera at ${this.#host} refused the account`);
    }
    if (/ActionNotSupported|OptionalActionNotImplemented/i.test(`${said} ${xml.slice(0, 4_096)}`))
      return new EdgeError("CAMERA_UNSUPPORTED", `the camera at ${this.#host} does not know this`);
    return new EdgeError("CAMERA_PROTOCOL", `the camera at ${this.#host} gave no ONVIF answer`, {
      details: { said: said.slice(0, 200) },
    });
  }

  #unreachable(why: string): EdgeError {
    return new EdgeError("CAMERA_UNREACHABLE", `the camera at ${this.#host} does not answer (${why})`);
  }
}

/**
 * Learns where the services are. GetServices came with ONVIF 2.0; older devices know GetCapabilities alone, and some
 * leave services out of the one that stand in the other (onvif_srvd 2.0 its PTZ): what is missing is asked there.
 */
export async function readServices(session: OnvifSession): Promise<void> {
  try {
    await session.call((client, done) => client.getServices(false, done));
  } catch (error) {
    const code = edgeFaultCode(error);
    if (code !== "CAMERA_PROTOCOL" && code !== "CAMERA_UNSUPPORTED") throw error;
    await session.call((client, done) => client.getCapabilities(done));
    return;
  }
  const told = { ...session.client.uri };
  if (["ptz", "events", "imaging"].every((service) => told[service] !== undefined)) return;
  await session
    .call((client, done) => client.getCapabilities(done))
    .catch((error: unknown) => {
      const code = edgeFaultCode(error);
      if (code !== "CAMERA_PROTOCOL" && code !== "CAMERA_UNSUPPORTED") throw error;
    });
  session.client.uri = { ...session.client.uri, ...told };
}

/**
 * The device's profiles: of Media2 (Profile T) where it is offered, else of Media. A Media2 that is offered and does not
 * work (onvif_simple_server crashes in it) is left aside for the rest of the conversation.
 */
export async function readProfiles(session: OnvifSession): Promise<unknown[]> {
  const ask = async (): Promise<unknown[]> =>
    listOf((await session.call((client, done) => client.getProfiles(done))).data);
  const { client } = session;
  if (!client.media2Support || client.uri?.["media"] === undefined) return ask();
  try {
    const profiles = await ask();
    if (profiles.length > 0) return profiles;
  } catch (error) {
    const code = edgeFaultCode(error);
    if (code !== "CAMERA_PROTOCOL" && code !== "CAMERA_UNSUPPORTED") throw error;
  }
  client.media2Support = false;
  return ask();
}
