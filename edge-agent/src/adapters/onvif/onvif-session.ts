import { messageOf } from "@huishi/kernel";
import type { Agent } from "node:http";
import { EdgeError, edgeFaultCode } from "../../domain/faults.ts";
import type { Account } from "../rtsp/digest.ts";
import { boundedAgent } from "./bounded-agent.ts";
import { type OnvifClient, openClient } from "./onvif-library.ts";
import { needsHttpDigest } from "./sign-in-scheme.ts";

const TIMEOUT_MS = 5_000;
/** Whole time of one call; the library's own timeout restarts with every byte. */
const CALL_DEADLINE_MS = 10_000;

export interface OnvifAnswer {
  readonly data: unknown;
  readonly xml: string;
}

type Call = (
  client: OnvifClient,
  done: (error: Error | null, data?: unknown, xml?: string, statusCode?: number) => void,
) => void;

/**
 * One conversation with an ONVIF device. Calls are promises: the library calls back twice when a callback
 * throws, and a promise does not mind. Closing it ends every request.
 */
export class OnvifSession {
  readonly client: OnvifClient;
  readonly agent: Agent;
  readonly #host: string;
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;

  private constructor(client: OnvifClient, agent: Agent, host: string, signal: AbortSignal) {
    this.client = client;
    this.agent = agent;
    this.#host = host;
    this.#signal = signal;
    this.#onAbort = () => agent.destroy();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** @param account null asks only what needs no sign-in */
  static async open(serviceUrl: string, account: Account | null, signal: AbortSignal): Promise<OnvifSession> {
    const url = new URL(serviceUrl);
    const isSecure = url.protocol === "https:";
    const usesDigest = account !== null && (await needsHttpDigest(url, signal));
    const agent = boundedAgent(isSecure);
    const client = openClient({
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
      path: url.pathname,
      useSecure: isSecure,
      useWSSecurity: !usesDigest,
      agent,
      timeout: TIMEOUT_MS,
      // In a username token the name stands in XML, and the library does not escape it.
      ...(account && {
        username: usesDigest ? account.username : escapeXml(account.username),
        password: account.password,
      }),
    });
    return new OnvifSession(client, agent, url.host, signal);
  }

  /** @throws EdgeError CAMERA_UNREACHABLE, CAMERA_AUTH_FAILED, CAMERA_PROTOCOL */
  async call(call: Call, deadlineMs = CALL_DEADLINE_MS): Promise<OnvifAnswer> {
    this.#signal.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<OnvifAnswer>((resolve, reject) => {
        timer = setTimeout(() => reject(this.#unreachable("no answer in time")), deadlineMs);
        onAbort = () => reject(this.#signal.reason as Error);
        this.#signal.addEventListener("abort", onAbort, { once: true });
        call(this.client, (error, data, xml, statusCode) => {
          if (error) reject(this.#fault(error, xml ?? "", statusCode));
          else resolve({ data, xml: typeof xml === "string" ? xml : "" });
        });
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) this.#signal.removeEventListener("abort", onAbort);
    }
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.agent.destroy();
  }

  #fault(error: Error, xml: string, statusCode: number | undefined): Error {
    const said = messageOf(error);
    if (
      statusCode === 401 ||
      /not ?authori[sz]ed|unauthori[sz]ed|authentication failed|FailedAuthentication/i.test(`${said} ${xml}`)
    ) {
      return new EdgeError("CAMERA_AUTH_FAILED", `the camera at ${this.#host} refused the account`);
    }
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== undefined || /network timeout|socket hang up/i.test(said)) {
      return this.#unreachable(code ?? said);
    }
    return new EdgeError("CAMERA_PROTOCOL", `the camera at ${this.#host} gave no ONVIF answer`, {
      details: { said: said.slice(0, 200) },
    });
  }

  #unreachable(why: string): EdgeError {
    return new EdgeError("CAMERA_UNREACHABLE", `the camera at ${this.#host} does not answer (${why})`);
  }
}

/** Learns where the services are. GetServices came with ONVIF 2.0; older devices know GetCapabilities alone. */
export async function readServices(session: OnvifSession): Promise<void> {
  try {
    await session.call((client, done) => client.getServices(false, done));
  } catch (error) {
    if (edgeFaultCode(error) !== "CAMERA_PROTOCOL") throw error;
    await session.call((client, done) => client.getCapabilities(done));
  }
}

function escapeXml(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
