/** Applies a stream's fault switches to what one session sends. */
import type { Picture } from "../source/video-stream.ts";
import type { RtpPacketizer } from "../rtsp/rtp-packetizer.ts";
import { flipBits, truncate } from "./damage.ts";
import type { Random } from "./random.ts";
import type { StreamFaults } from "./types.ts";

const TEN_HOURS_IN_TICKS = 36_000 * 90_000;

export class StreamDamage {
  readonly #faults: () => StreamFaults;
  readonly #random: Random;
  #pictures = 0;

  constructor(faults: () => StreamFaults, random: Random) {
    this.#faults = faults;
    this.#random = random;
  }

  /** Counts a picture and damages it. */
  damagePicture(picture: Picture): Picture {
    this.#pictures += 1;
    const { bitFlipRate = 0, truncateRate = 0 } = this.#faults();
    if (bitFlipRate === 0 && truncateRate === 0) return picture;
    const headerBytes = picture.codec === "h265" ? 2 : 1;
    const nals = picture.nals.map((nal) => {
      const whole = this.#random() < truncateRate ? truncate(nal, headerBytes, this.#random) : nal;
      return bitFlipRate > 0 ? flipBits(whole, headerBytes, bitFlipRate, this.#random) : whole;
    });
    return { ...picture, nals };
  }

  /** Jumps in numbers and times before a picture. */
  disturbNumbers(rtp: RtpPacketizer): void {
    const { sequenceJumpEvery, timestampJumpEvery } = this.#faults();
    if (isDue(this.#pictures, sequenceJumpEvery)) rtp.jumpSequence(Math.floor(this.#random() * 0x10000));
    if (isDue(this.#pictures, timestampJumpEvery))
      rtp.jumpTimestamp(Math.round((this.#random() * 2 - 1) * TEN_HOURS_IN_TICKS));
  }

  /** Loses and swaps packets. */
  disturbPackets(packets: readonly Buffer[]): readonly Buffer[] {
    const { lossRate = 0, reorderRate = 0 } = this.#faults();
    if (lossRate === 0 && reorderRate === 0) return packets;
    const out = packets.filter(() => this.#random() >= lossRate);
    for (let at = 0; at + 1 < out.length; at++) {
      if (this.#random() >= reorderRate) continue;
      [out[at], out[at + 1]] = [out[at + 1] as Buffer, out[at] as Buffer];
      at += 1;
    }
    return out;
  }

  /** Bytes that are no frame, or none. None of them is `$`, so that a reader has to look for the next one. */
  garbage(): Buffer | undefined {
    const { garbageRate = 0 } = this.#faults();
    if (garbageRate === 0 || this.#random() >= garbageRate) return undefined;
    const length = 1 + Math.floor(this.#random() * 200);
    return Buffer.from(Array.from({ length }, () => 0x80 + Math.floor(this.#random() * 0x80)));
  }

  get mustCut(): boolean {
    const { cutAfterPictures } = this.#faults();
    return cutAfterPictures !== undefined && this.#pictures > cutAfterPictures;
  }
}

function isDue(count: number, every: number | undefined): boolean {
  return every !== undefined && every > 0 && count % every === 0;
}
