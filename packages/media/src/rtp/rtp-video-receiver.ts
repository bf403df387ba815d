/** Turns the RTP packets of one video stream into access units. */
import { AccessUnitBuilder } from "./access-unit-builder.ts";
import { nalSyntax, type RtpVideoCodec } from "./nal-syntax.ts";
import { parseRtpPacket, type RtpPacket, sequenceAdvance, timestampAdvance } from "./rtp-packet.ts";

/** One picture as it came. */
export interface ReceivedUnit {
  readonly annexB: Uint8Array;
  readonly keyframe: boolean;
  /** No other picture needs it. */
  readonly disposable: boolean;
  /** Milliseconds since the first picture; unwrapped, may step back where pictures are reordered. */
  readonly ptsMs: number;
  /** The stream's parameter sets differ from the ones before: size or profile may have changed. */
  readonly changed: boolean;
}

export interface RtpVideoOptions {
  readonly codec: RtpVideoCodec;
  readonly payloadType: number;
  /** RTP clock, Hz. */
  readonly clockRate: number;
  /** From the SDP, without start codes. */
  readonly parameterSets: readonly Uint8Array[];
  readonly maxUnitBytes: number;
}

export interface RtpVideoCounters {
  readonly packets: number;
  /** By gaps in the sequence numbers. */
  readonly lostPackets: number;
  /** Pictures given up: a part was missing, damaged or too large, or they followed such a one up to the next keyframe. */
  readonly lostUnits: number;
}

/** A step of RTP time beyond this is a new time base, not a pause. */
const MAX_STEP_S = 60;

/**
 * Receives packets in order. After a loss nothing is given until the next keyframe: a picture that refers to a
 * missing one would smear over every wall.
 */
export class RtpVideoReceiver {
  readonly #options: RtpVideoOptions;
  readonly #builder: AccessUnitBuilder;
  readonly #syntax;
  #sequence: number | null = null;
  #timestamp = 0;
  #isOpen = false;
  #isDamaged = false;
  #needsKeyframe = true;
  #hasBegun = false;
  #lastTimestamp: number | null = null;
  #ticks = 0;
  #ssrc: number | null = null;
  #packets = 0;
  #lostPackets = 0;
  #lostUnits = 0;

  constructor(options: RtpVideoOptions) {
    this.#options = options;
    this.#syntax = nalSyntax(options.codec);
    this.#builder = new AccessUnitBuilder(this.#syntax, options.parameterSets, options.maxUnitBytes);
  }

  get counters(): RtpVideoCounters {
    return { packets: this.#packets, lostPackets: this.#lostPackets, lostUnits: this.#lostUnits };
  }

  /** The source's SSRC and the highest sequence number, for receiver reports. */
  get reception(): { ssrc: number; sequence: number } | null {
    return this.#ssrc === null || this.#sequence === null
      ? null
      : { ssrc: this.#ssrc, sequence: this.#sequence };
  }

  /** Takes one packet; gives the pictures that it finishes (two when it begins a new one with a marker). */
  push(bytes: Uint8Array, onUnit: (unit: ReceivedUnit) => void): void {
    const packet = parseRtpPacket(bytes);
    if (!packet || packet.payloadType !== this.#options.payloadType) return;
    const place = this.#place(packet);
    if (place === "late") return;
    const gap = place === "gap";
    this.#packets += 1;
    // The time changed without a marker: the picture before is complete as well (RFC 6184 §5.1).
    const isNext = this.#isOpen && packet.timestamp !== this.#timestamp;
    if (isNext && (this.#builder.hasPicture || this.#isDamaged)) {
      this.#finish(onUnit);
      // What is missing may have been the head of this picture as well as the tail of the last.
      if (gap) this.#isDamaged = true;
    }
    this.#isOpen = true;
    this.#timestamp = packet.timestamp;
    if (packet.payload.length > 0 && !this.#syntax.unpack(packet.payload, this.#builder))
      this.#isDamaged = true;
    if (packet.marker && (this.#builder.hasPicture || this.#isDamaged)) this.#finish(onUnit);
  }

  #place(packet: RtpPacket): "next" | "gap" | "late" {
    if (this.#ssrc !== packet.ssrc) {
      const isOther = this.#ssrc !== null;
      if (isOther) this.#lose();
      this.#ssrc = packet.ssrc;
      this.#sequence = packet.sequence;
      return isOther ? "gap" : "next";
    }
    const advance = this.#sequence === null ? 1 : sequenceAdvance(this.#sequence, packet.sequence);
    // A repeated or late packet: its place has been passed.
    if (advance <= 0 && advance > -1000) return "late";
    this.#sequence = packet.sequence;
    if (advance === 1) return "next";
    this.#lostPackets += advance > 0 ? advance - 1 : 0;
    this.#lose();
    return "gap";
  }

  #lose(): void {
    this.#isDamaged = true;
    this.#needsKeyframe = true;
  }

  #finish(onUnit: (unit: ReceivedUnit) => void): void {
    const isDamaged = this.#isDamaged;
    const changed = this.#builder.takeChange();
    const unit = this.#builder.take();
    this.#isDamaged = false;
    this.#isOpen = false;
    const ptsMs = this.#presentationMs();
    if (!unit || isDamaged) {
      this.#lostUnits += 1;
      this.#needsKeyframe = true;
      return;
    }
    if (this.#needsKeyframe && !unit.keyframe) {
      // The wait for the first keyframe of all is no loss.
      if (this.#hasBegun) this.#lostUnits += 1;
      return;
    }
    this.#needsKeyframe = false;
    this.#hasBegun = true;
    onUnit({ ...unit, ptsMs, changed });
  }

  #presentationMs(): number {
    const { clockRate } = this.#options;
    if (this.#lastTimestamp !== null) {
      const step = timestampAdvance(this.#lastTimestamp, this.#timestamp);
      this.#ticks += Math.abs(step) > MAX_STEP_S * clockRate ? 0 : step;
    }
    this.#lastTimestamp = this.#timestamp;
    return (this.#ticks * 1000) / clockRate;
  }
}
