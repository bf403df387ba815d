import { type AccessUnit, AccessUnitAssembler, readFragment } from "@huishi/contracts";

/**
 * One stream as it comes over the bus: fragments become access units again. A unit that was lost on the way takes the
 * rest of its group of pictures with it (a part of one cannot be decoded); what the source itself left out is the
 * source's word and goes through. A newcomer is first sent the current group on a subject of its own; until that, or a
 * keyframe, comes, live units are of a group whose start it has not seen.
 */
export class IncomingStream {
  readonly #deliver: (unit: AccessUnit) => void;
  readonly #onDropped: () => void;
  readonly #live = new AccessUnitAssembler();
  readonly #group = new AccessUnitAssembler();
  #isWhole = false;
  /** The group of pictures for newcomers is being taken. */
  #isCatchingUp = false;
  /** There were units before: what comes next after a gap is a discontinuity. */
  #hasDelivered = false;
  /** The source said of the unit under way that units are missing before it. */
  #sourceSkipped = false;

  constructor(deliver: (unit: AccessUnit) => void, onDropped: () => void) {
    this.#deliver = deliver;
    this.#onDropped = onDropped;
  }

  /** Error: MEDIA_HEADER for what is no fragment. */
  takeLive(fragment: Uint8Array): void {
    const { index, unit: head } = readFragment(fragment);
    if (index === 0) this.#sourceSkipped = head.discontinuity;
    const unit = this.#live.push(fragment);
    if (!unit) return;
    this.#isCatchingUp = false;
    const isGap = this.#hasDelivered && unit.discontinuity && !this.#sourceSkipped;
    if (isGap) this.#isWhole = false;
    if (unit.keyframe) this.#isWhole = true;
    if (!this.#isWhole) {
      if (this.#hasDelivered) this.#onDropped();
      return;
    }
    this.#give(unit);
  }

  /** A fragment of the group that is sent to us alone. Error: MEDIA_HEADER. */
  takeGroup(fragment: Uint8Array): void {
    const unit = this.#group.push(fragment);
    if (!unit) return;
    if (!this.#isWhole && unit.keyframe) this.#isWhole = this.#isCatchingUp = true;
    if (this.#isCatchingUp) this.#give(unit);
  }

  #give(unit: AccessUnit): void {
    this.#hasDelivered = true;
    // A unit of one fragment is a view of the network's buffer: whoever keeps it must not keep that.
    const isView = unit.data.buffer.byteLength > unit.data.byteLength;
    this.#deliver(isView ? { ...unit, data: new Uint8Array(unit.data) } : unit);
  }
}
