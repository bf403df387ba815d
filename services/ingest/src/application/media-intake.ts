import { AccessUnitAssembler, type MediaBus, type StreamProfile } from "@huishi/contracts";
import type { CameraOwners } from "./camera-owners.ts";

export interface MediaCounters {
  /** Fragments taken in. */
  fragments: number;
  bytes: number;
  units: number;
  /** Units that arrived incompletely. */
  incompleteUnits: number;
  /** Fragments of a camera that is unknown or another agent's. */
  foreignFragments: number;
  /** Fragments that are none. */
  malformedFragments: number;
}

/** Puts the fragments of an agent's media connection together and hands whole access units to the media bus. */
export class MediaIntake {
  readonly counters: MediaCounters = {
    fragments: 0,
    bytes: 0,
    units: 0,
    incompleteUnits: 0,
    foreignFragments: 0,
    malformedFragments: 0,
  };
  readonly #bus: MediaBus;
  readonly #owners: CameraOwners;
  readonly #assemblers = new Map<string, Map<string, AccessUnitAssembler>>();

  constructor(bus: MediaBus, owners: CameraOwners) {
    this.#bus = bus;
    this.#owners = owners;
  }

  /** Takes one fragment. Never throws: media is best effort, and what is wrong with it is counted. */
  accept(agentId: string, cameraId: string, profile: StreamProfile, fragment: Uint8Array): void {
    if (this.#owners.ownerOf(cameraId) !== agentId) {
      this.counters.foreignFragments += 1;
      return;
    }
    this.counters.fragments += 1;
    this.counters.bytes += fragment.byteLength;
    const assembler = this.#assemblerOf(agentId, `${cameraId}/${profile}`);
    const droppedBefore = assembler.droppedUnits;
    try {
      const unit = assembler.push(fragment);
      this.counters.incompleteUnits += assembler.droppedUnits - droppedBefore;
      if (!unit) return;
      this.counters.units += 1;
      // The fragment lies in a network buffer that may be far larger: whoever keeps the unit must not keep that.
      const isView = unit.data.buffer.byteLength > unit.data.byteLength;
      const data = isView ? new Uint8Array(unit.data) : unit.data;
      this.#bus.publish({ cameraId, profile }, { ...unit, data });
    } catch {
      this.counters.malformedFragments += 1;
    }
  }

  /** The agent's media connection is gone: half units will not be finished. */
  disconnected(agentId: string): void {
    this.#assemblers.delete(agentId);
  }

  #assemblerOf(agentId: string, stream: string): AccessUnitAssembler {
    const ofAgent = this.#assemblers.get(agentId) ?? new Map<string, AccessUnitAssembler>();
    this.#assemblers.set(agentId, ofAgent);
    const assembler = ofAgent.get(stream) ?? new AccessUnitAssembler();
    ofAgent.set(stream, assembler);
    return assembler;
  }
}
