import { type AccessUnit, fragmentAccessUnit } from "@huishi/contracts";
import { GroupOfPictures } from "../group-of-pictures.ts";

export interface Outlet {
  /** Bytes that the network has not taken yet. */
  readonly backlogBytes: number;
  publish(subject: string, payload: Uint8Array): boolean;
}

/** Beyond this many bytes the network is behind: groups of pictures are left out until half of it is gone. */
export const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;

/**
 * One stream on its way to other processes. When the network is behind, the rest of the group of pictures is dropped
 * (`dropGroup`): a decoder gets whole groups or nothing. Keeps the current group for whoever joins.
 */
export class OutgoingStream {
  readonly #subject: string;
  readonly #group = new GroupOfPictures();
  #isSkipping = false;
  #hasSkipped = false;

  constructor(subject: string) {
    this.#subject = subject;
  }

  get cachedBytes(): number {
    return this.#group.byteLength;
  }

  /** False when the unit was dropped. */
  send(unit: AccessUnit, outlet: Outlet): boolean {
    if (outlet.backlogBytes > MAX_BACKLOG_BYTES) this.#isSkipping = true;
    else if (this.#isSkipping && unit.keyframe && outlet.backlogBytes < MAX_BACKLOG_BYTES / 2)
      this.#isSkipping = false;
    if (this.#isSkipping) {
      this.#hasSkipped = true;
      this.#group.clear();
      return false;
    }
    this.#group.add(unit);
    const sent = this.#hasSkipped ? { ...unit, discontinuity: true } : unit;
    this.#hasSkipped = false;
    return publishUnit(this.#subject, sent, outlet);
  }

  /** Sends the group so far to one newcomer. */
  sendGroup(subject: string, outlet: Outlet): void {
    for (const unit of this.#group.units) publishUnit(subject, unit, outlet);
  }
}

function publishUnit(subject: string, unit: AccessUnit, outlet: Outlet): boolean {
  let isSent = true;
  for (const fragment of fragmentAccessUnit(unit)) isSent = outlet.publish(subject, fragment) && isSent;
  return isSent;
}
