// Asks addresses whether an ONVIF or RTSP service answers: what needs no sign-in, and nothing else.
import { connect } from "node:net";
import type { AddressProbe, ProbedAddress } from "../../application/ports.ts";
import { xmlFault } from "../../domain/xml-bounds.ts";
import type { NetworkGuard, ResolvedAddress } from "../network-guard/network-guard.ts";
import { exchange } from "../onvif/bounded-http.ts";

const CONCURRENCY = 64;
const CONNECT_MS = 1_000;
const ANSWER_MS = 2_000;
/** Whole time of a scan; what was not asked by then is not asked. */
const SCAN_MS = 120_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_RTSP_BYTES = 4 * 1024;
const PATH = "/onvif/device_service";

export interface SubnetProbeOptions {
  readonly guard: Pick<NetworkGuard, "assertReachable">;
  /** Default 80, 8000 and 8080. */
  readonly onvifPorts?: readonly number[] | undefined;
  /** Default 554 and 8554. */
  readonly rtspPorts?: readonly number[] | undefined;
}

export class SubnetProbe implements AddressProbe {
  readonly #guard: SubnetProbeOptions["guard"];
  readonly #onvifPorts: readonly number[];
  readonly #rtspPorts: readonly number[];

  constructor({ guard, onvifPorts = [80, 8000, 8080], rtspPorts = [554, 8554] }: SubnetProbeOptions) {
    this.#guard = guard;
    this.#onvifPorts = onvifPorts;
    this.#rtspPorts = rtspPorts;
  }

  /** Addresses where something answered; those outside the site are passed over. */
  async probe(addresses: readonly string[], signal: AbortSignal): Promise<ProbedAddress[]> {
    const found: ProbedAddress[] = [];
    const deadline = AbortSignal.timeout(SCAN_MS);
    const ends = AbortSignal.any([signal, deadline]);
    const left = addresses.values();
    const work = async (): Promise<void> => {
      for (const address of left) {
        if (ends.aborted) return;
        const device = await this.#probeOne(address, ends).catch(() => null);
        if (device) found.push(device);
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, addresses.length) }, work));
    signal.throwIfAborted();
    return found;
  }

  async #probeOne(address: string, signal: AbortSignal): Promise<ProbedAddress | null> {
    const to = await this.#guard.assertReachable(address, signal);
    const onvifPort = await firstOf(this.#onvifPorts, (port) => speaksOnvif(to, port, signal));
    const rtspPort = await firstOf(this.#rtspPorts, (port) => speaksRtsp(to, port, signal));
    if (onvifPort === null && rtspPort === null) return null;
    return {
      address,
      ...(onvifPort === null ? {} : { onvifUrl: serviceUrl(to, onvifPort).href }),
      ...(rtspPort === null ? {} : { rtspPort }),
    };
  }
}

async function firstOf(
  ports: readonly number[],
  answers: (port: number) => Promise<boolean>,
): Promise<number | null> {
  for (const port of ports) if (await answers(port).catch(() => false)) return port;
  return null;
}

function serviceUrl({ address, family }: ResolvedAddress, port: number): URL {
  return new URL(`http://${family === 6 ? `[${address}]` : address}:${port}${PATH}`);
}

/** GetSystemDateAndTime needs no sign-in (ONVIF Core §8.3.6). */
async function speaksOnvif(to: ResolvedAddress, port: number, signal: AbortSignal): Promise<boolean> {
  // A closed port is known in a round trip; a silent one must not cost the time of an answer.
  await talk(to, port, { signal, deadlineMs: CONNECT_MS });
  const { body } = await exchange({
    url: serviceUrl(to, port),
    to,
    method: "POST",
    body: QUESTION,
    headers: { "content-type": "application/soap+xml; charset=utf-8" },
    maxBytes: MAX_ANSWER_BYTES,
    deadlineMs: ANSWER_MS,
    signal,
  });
  const xml = body.toString("utf8");
  return (
    xmlFault(xml) === null &&
    /<(?:[\w.-]+:)?Envelope[\s>]/.test(xml) &&
    /GetSystemDateAndTimeResponse|http:\/\/www\.onvif\.org\/ver10\/(device|error)/.test(xml)
  );
}

async function speaksRtsp(to: ResolvedAddress, port: number, signal: AbortSignal): Promise<boolean> {
  const answer = await talk(to, port, {
    signal,
    deadlineMs: ANSWER_MS,
    say: "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Huishi\r\n\r\n",
  });
  return /^RTSP\/1\.\d \d{3} /.test(answer);
}

/** Connects, says something, and gives the first line's bytes; without `say` it only connects. */
function talk(
  { address }: ResolvedAddress,
  port: number,
  {
    say,
    deadlineMs,
    signal,
  }: { readonly say?: string; readonly deadlineMs: number; readonly signal: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(() => socket.destroy(new Error("no answer in time")), deadlineMs);
    const onAbort = (): void => void socket.destroy(new Error("stopped"));
    signal.addEventListener("abort", onAbort, { once: true });
    let answer = "";
    const done = (): void => {
      resolve(answer);
      socket.destroy();
    };
    socket.once("connect", () => (say === undefined ? done() : socket.write(say)));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.includes("\n") || answer.length > MAX_RTSP_BYTES) done();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      reject(new Error("the connection was closed"));
    });
  });
}

const QUESTION =
  '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>' +
  '<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>';
