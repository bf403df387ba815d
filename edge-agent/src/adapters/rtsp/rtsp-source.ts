import { MAX_ACCESS_UNIT_BYTES } from "@huishi/contracts";
import { RtpVideoReceiver } from "@huishi/media";
import type { FrameSource, SourceUnit } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { parseRtspAddress, type RtspAddress, shortAddress } from "../../domain/rtsp-address.ts";
import type { Account } from "./digest.ts";
import { middleNtpOf, newSsrc, receiverReport } from "./rtcp.ts";
import { type RtspSetup, setUp } from "./rtp-transport.ts";
import { RtspClient } from "./rtsp-client.ts";
import type { ResolveAddress } from "./rtsp-probe.ts";
import { controlUrl, readVideoMedia, type VideoMedia } from "./sdp.ts";

const TIMEOUT_MS = 5_000;
/** A stream that gives no picture for this long is opened again. */
const NO_FRAMES_MS = 5_000;
/** The first picture may take longer: a long group of pictures. */
const FIRST_FRAME_MS = 15_000;
const CHECK_MS = 1_000;
const REPORT_MS = 5_000;
/** The camera is given this long to hear goodbye (TEARDOWN). */
const GOODBYE_MS = 500;
/** Keep-alives come this often within the session's time (RFC 2326 §A.1 leaves it to the client). */
const KEEP_ALIVE_SHARE = 0.4;

export interface RtspSourceOptions {
  readonly url: string;
  readonly account: Account | null;
  readonly noFramesMs?: number;
  readonly firstFrameMs?: number;
  readonly timeoutMs?: number;
  /** Gives the address to connect to, or refuses the host (ADDRESS_OUTSIDE_SITE). */
  readonly resolve?: ResolveAddress | undefined;
}

/** What the stream lost on its way so far, over all runs. */
export interface RtspLosses {
  readonly packets: number;
  readonly units: number;
}

/** A camera's pictures as they are, over RTSP: no child process, no transcoding, one copy a picture. */
export class RtspSource implements FrameSource {
  readonly #options: RtspSourceOptions;
  #lost: RtspLosses = { packets: 0, units: 0 };

  constructor(options: RtspSourceOptions) {
    this.#options = options;
  }

  get lost(): RtspLosses {
    return this.#lost;
  }

  async run(signal: AbortSignal, onUnits: (units: readonly SourceUnit[]) => void): Promise<void> {
    const { url, account, resolve, timeoutMs = TIMEOUT_MS } = this.#options;
    signal.throwIfAborted();
    const address = parseRtspAddress(url);
    const connectTo = resolve ? await resolve(address.host, signal) : undefined;
    // The connection itself outlives the signal by a TEARDOWN, once it plays.
    const connecting = new AbortController();
    const onAbort = (): void => connecting.abort(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    let client: RtspClient | undefined;
    try {
      client = await RtspClient.open(address, account, { timeoutMs, signal: connecting.signal, connectTo });
      const setup = await this.#setUp(client, address);
      signal.removeEventListener("abort", onAbort);
      await this.#play(client, setup, signal, onUnits);
    } finally {
      signal.removeEventListener("abort", onAbort);
      client?.wire.destroy(new Error("the stream was given up"));
    }
  }

  async #setUp(client: RtspClient, address: RtspAddress): Promise<ReadyStream> {
    const { sdp, base } = await client.describe();
    const media = this.#mediaOf(sdp);
    const control = controlUrl(media.control, base, address.url);
    if (control === null)
      throw new EdgeError("RTSP_PROTOCOL", `${client.wire.host} names no stream of its own`);
    return { media, url: aggregateUrl(sdp, base, address.url), setup: await setUp(client, control) };
  }

  async #play(
    client: RtspClient,
    { media, url, setup }: ReadyStream,
    signal: AbortSignal,
    onUnits: (units: readonly SourceUnit[]) => void,
  ): Promise<void> {
    const playing = new Playing(client, setup, media, this.#options);
    try {
      await playing.run(url, signal, onUnits);
    } finally {
      playing.stop();
      const { lostPackets, lostUnits } = playing.counters;
      this.#lost = { packets: this.#lost.packets + lostPackets, units: this.#lost.units + lostUnits };
    }
  }

  #mediaOf(sdp: string): KnownMedia {
    const media = readVideoMedia(sdp);
    if (media && media.codec !== "unknown") return { ...media, codec: media.codec };
    throw new EdgeError("CAMERA_CODEC", `${shortAddress(this.#options.url)} offers neither H.264 nor H.265`);
  }
}

type KnownMedia = VideoMedia & { readonly codec: "h264" | "h265" };

interface ReadyStream {
  readonly media: KnownMedia;
  /** Of the whole presentation. */
  readonly url: string;
  readonly setup: RtspSetup;
}

/** One session from PLAY to its end. */
class Playing {
  readonly #client: RtspClient;
  readonly #setup: RtspSetup;
  readonly #receiver: RtpVideoReceiver;
  readonly #options: RtspSourceOptions;
  readonly #codec: "h264" | "h265";
  readonly #ssrc = newSsrc();
  #startedAt = 0;
  #lastUnitAt: number | null = null;
  #senderReport: { middleNtp: number; at: number } | null = null;

  constructor(client: RtspClient, setup: RtspSetup, media: KnownMedia, options: RtspSourceOptions) {
    this.#client = client;
    this.#setup = setup;
    this.#options = options;
    this.#codec = media.codec;
    this.#receiver = new RtpVideoReceiver({
      codec: media.codec,
      payloadType: media.payloadType,
      clockRate: media.clockRate,
      parameterSets: media.parameterSets,
      maxUnitBytes: MAX_ACCESS_UNIT_BYTES,
    });
  }

  get counters() {
    return this.#receiver.counters;
  }

  async run(
    url: string,
    signal: AbortSignal,
    onUnits: (units: readonly SourceUnit[]) => void,
  ): Promise<void> {
    const { transport, session, timeoutMs } = this.#setup;
    transport.onPackets(
      (packet) =>
        this.#receiver.push(packet, (unit) => {
          this.#lastUnitAt = performance.now();
          onUnits([{ ...unit, codec: this.#codec }]);
        }),
      (packet) => this.#noteSenderReport(packet),
    );
    await this.#client.request("PLAY", url, { Session: session, Range: "npt=0.000-" });
    const timers = [
      setInterval(() => this.#report(), REPORT_MS),
      setInterval(() => this.#keepAlive(url), timeoutMs * KEEP_ALIVE_SHARE),
      setInterval(() => this.#checkSilence(), CHECK_MS),
    ];
    this.#startedAt = performance.now();
    try {
      const ended = await unlessAborted(this.#client.wire.closed, signal);
      if (ended !== null) throw ended;
      await this.#sayGoodbye(url);
      signal.throwIfAborted();
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
  }

  stop(): void {
    this.#setup.transport.close();
  }

  #noteSenderReport(packet: Uint8Array): void {
    const middleNtp = middleNtpOf(packet);
    if (middleNtp !== null) this.#senderReport = { middleNtp, at: performance.now() };
  }

  #report(): void {
    const source = this.#receiver.reception;
    if (!source) return;
    const last = this.#senderReport;
    this.#setup.transport.sendRtcp(
      receiverReport(
        this.#ssrc,
        { ...source, lost: this.#receiver.counters.lostPackets },
        last && { middleNtp: last.middleNtp, agoMs: performance.now() - last.at },
      ),
    );
  }

  /** GET_PARAMETER is what most cameras take (RFC 2326 §10.8); one that does not know it lives on by the packets alone. */
  #keepAlive(url: string): void {
    const expected = [400, 404, 405, 451, 454, 455, 500, 501, 551];
    this.#client
      .request("GET_PARAMETER", url, { Session: this.#setup.session }, expected)
      .catch((error: unknown) => this.#client.wire.destroy(error as Error));
  }

  #checkSilence(): void {
    const { noFramesMs = NO_FRAMES_MS, firstFrameMs = FIRST_FRAME_MS } = this.#options;
    const silentMs = performance.now() - (this.#lastUnitAt ?? this.#startedAt);
    if (silentMs < (this.#lastUnitAt === null ? firstFrameMs : noFramesMs)) return;
    this.#client.wire.destroy(
      new EdgeError("RTSP_NO_FRAMES", `${shortAddress(this.#options.url)} gives no pictures`),
    );
  }

  async #sayGoodbye(url: string): Promise<void> {
    const teardown = this.#client.request("TEARDOWN", url, { Session: this.#setup.session });
    const timer = AbortSignal.timeout(GOODBYE_MS);
    await unlessAborted(teardown, timer).catch(() => undefined);
    teardown.catch(() => undefined);
  }
}

/** The address of the whole presentation, for PLAY and TEARDOWN: the session's control, else the base. */
function aggregateUrl(sdp: string, base: string, asked: string): string {
  const head = sdp.split(/^m=/m)[0] ?? "";
  const control = /^a=control:(\S+)/m.exec(head)?.[1] ?? "";
  return controlUrl(control, base, asked) ?? asked;
}

/** What the promise gives, or null when the signal aborts first. Leaves no listener: the signal outlives many sessions. */
async function unlessAborted<T>(given: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  let onAbort = (): void => undefined;
  const aborted = new Promise<null>((resolve) => {
    onAbort = () => resolve(null);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([given, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
