/** One client's session on one stream: plays pictures into a transport and reports its clock. */
import { StreamDamage } from "../faults/stream-damage.ts";
import type { Random } from "../faults/random.ts";
import type { StreamFaults } from "../faults/types.ts";
import type { Picture, VideoStream } from "../source/video-stream.ts";
import { steadyNowMs } from "../source/steady-time.ts";
import { RtpPacketizer } from "./rtp-packetizer.ts";
import type { RtpTransport } from "./rtp-transport.ts";

const SENDER_REPORT_PERIOD_MS = 5000;
/** With the fault `wrapsAfterMs`: packets until the sequence number passes 2^16. */
const WRAP_PACKETS = 20;

export interface RtspSessionOptions {
  readonly id: string;
  readonly stream: VideoStream;
  readonly transport: RtpTransport;
  readonly random32: () => number;
  /** Fault knob: true while no packet may leave. */
  readonly isMuted: () => boolean;
  readonly onDrop: () => void;
  /** Fault switches of the stream. */
  readonly faults?: () => StreamFaults;
  readonly faultRandom?: Random;
  /** Cuts the connection that the session belongs to. */
  readonly cut?: () => void;
}

export class RtspSession {
  readonly id: string;
  readonly stream: VideoStream;
  readonly transport: RtpTransport;
  /** When the client last gave a sign of life. */
  lastSeenMs = steadyNowMs();
  readonly #options: RtspSessionOptions;
  readonly #rtp: RtpPacketizer;
  #unsubscribe: (() => void) | undefined;
  #reportTimer: NodeJS.Timeout | undefined;
  #waitsForKeyframe = true;
  readonly #damage: StreamDamage;
  #playedAtMs = 0;

  constructor(options: RtspSessionOptions) {
    this.id = options.id;
    this.stream = options.stream;
    this.transport = options.transport;
    this.#options = options;
    this.#rtp = new RtpPacketizer(options.random32);
    this.#damage = new StreamDamage(options.faults ?? (() => ({})), options.faultRandom ?? Math.random);
    const { wrapsAfterMs } = this.#faults;
    if (wrapsAfterMs !== undefined) this.#rtp.wrapSoon(steadyNowMs() + wrapsAfterMs, WRAP_PACKETS);
  }

  get #faults(): StreamFaults {
    return this.#options.faults?.() ?? {};
  }

  get #isMuted(): boolean {
    const { silentAfterMs = Number.POSITIVE_INFINITY } = this.#faults;
    return this.#options.isMuted() || steadyNowMs() - this.#playedAtMs >= silentAfterMs;
  }

  get isPlaying(): boolean {
    return this.#unsubscribe !== undefined;
  }

  /** seq and rtptime of the first packet to come, for RTP-Info (RFC 2326 §12.33). */
  get rtpInfo(): { readonly sequence: number; readonly timestamp: number } {
    const firstMs = this.stream.lastKeyframe?.takenAtMs ?? steadyNowMs();
    return { sequence: this.#rtp.nextSequence, timestamp: this.#rtp.timestampAt(firstMs) };
  }

  /** Starts with the pictures since the last keyframe, at once. */
  play(): void {
    if (this.isPlaying) return;
    this.#waitsForKeyframe = true;
    this.#playedAtMs = steadyNowMs();
    for (const picture of this.stream.group) this.#send(picture);
    // After the first pictures: some clients count time from whichever comes first, and a report of now would put
    // pictures of the last two seconds before zero.
    this.#sendReport();
    this.#unsubscribe = this.stream.subscribe((picture) => this.#send(picture));
    this.#reportTimer = setInterval(() => this.#sendReport(), SENDER_REPORT_PERIOD_MS);
  }

  pause(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    clearInterval(this.#reportTimer);
  }

  close(): void {
    if (this.isPlaying) this.transport.sendRtcp(this.#rtp.goodbye(steadyNowMs()));
    this.pause();
    this.transport.close();
  }

  #sendReport(): void {
    if (!this.#isMuted) this.transport.sendRtcp(this.#rtp.senderReport(steadyNowMs()));
  }

  #send(picture: Picture): void {
    if (this.#isMuted) {
      this.#waitsForKeyframe = true;
      return;
    }
    const mayStart = picture.keyframe && (!this.#waitsForKeyframe || this.transport.isDrained());
    if (this.#waitsForKeyframe && !mayStart) return this.#options.onDrop();
    if (!this.transport.hasRoom()) {
      this.#waitsForKeyframe = true;
      return this.#options.onDrop();
    }
    this.#waitsForKeyframe = false;
    this.#sendDamaged(picture);
  }

  #sendDamaged(picture: Picture): void {
    const { nals, takenAtMs, codec } = this.#damage.damagePicture(picture);
    this.#damage.disturbNumbers(this.#rtp);
    const packets = this.#rtp.packetize(nals, takenAtMs, codec);
    if (this.#damage.mustCut) {
      const [first = Buffer.alloc(0)] = packets;
      this.transport.sendRtp([first]);
      this.#options.cut?.();
      return;
    }
    const garbage = this.#damage.garbage();
    if (garbage) this.transport.sendGarbage?.(garbage);
    this.transport.sendRtp(this.#damage.disturbPackets(packets));
  }
}
