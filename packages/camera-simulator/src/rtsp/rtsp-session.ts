/** One client's session on one stream: plays pictures into a transport and reports its clock. */
import type { Picture, VideoStream } from "../source/video-stream.ts";
import { steadyNowMs } from "../source/steady-time.ts";
import { RtpPacketizer } from "./rtp-packetizer.ts";
import type { RtpTransport } from "./rtp-transport.ts";

const SENDER_REPORT_PERIOD_MS = 5000;

export interface RtspSessionOptions {
  readonly id: string;
  readonly stream: VideoStream;
  readonly transport: RtpTransport;
  readonly random32: () => number;
  /** Fault knob: true while no packet may leave. */
  readonly isMuted: () => boolean;
  readonly onDrop: () => void;
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

  constructor(options: RtspSessionOptions) {
    this.id = options.id;
    this.stream = options.stream;
    this.transport = options.transport;
    this.#options = options;
    this.#rtp = new RtpPacketizer(options.random32);
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
    if (!this.#options.isMuted()) this.transport.sendRtcp(this.#rtp.senderReport(steadyNowMs()));
  }

  #send(picture: Picture): void {
    if (this.#options.isMuted()) {
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
    this.transport.sendRtp(this.#rtp.packetize(picture.nals, picture.takenAtMs));
  }
}
