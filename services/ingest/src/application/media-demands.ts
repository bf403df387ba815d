import {
  DEMAND_LEASE_MS,
  demandTopic,
  type MediaBus,
  type MediaDemand,
  type StreamKey,
  type StreamProfile,
} from "@huishi/contracts";
import type { Clock } from "@huishi/kernel";
import type { CameraOwners } from "./camera-owners.ts";

/** Sends a retained message at QoS 1 to whoever subscribes to the topic now or later. */
export type PublishRetained = (topic: string, payload: Buffer) => void;

/**
 * Turns what the media bus wants into retained commands to the agents: renewed at a third of the lease, ended by an
 * empty list, sent anew when an agent subscribes or a camera becomes known.
 */
export class MediaDemands {
  readonly #bus: MediaBus;
  readonly #owners: CameraOwners;
  readonly #clock: Clock;
  readonly #publish: PublishRetained;
  readonly #renewal: NodeJS.Timeout;
  readonly #unsubscribe: () => void;

  constructor(options: { bus: MediaBus; owners: CameraOwners; clock: Clock; publish: PublishRetained }) {
    this.#bus = options.bus;
    this.#owners = options.owners;
    this.#clock = options.clock;
    this.#publish = options.publish;
    this.#unsubscribe = this.#bus.onDemand(({ cameraId }) => this.#send(cameraId));
    this.#owners.onLearned((cameraId) => {
      if (this.#wantedProfiles(cameraId).length > 0) this.#send(cameraId);
    });
    this.#renewal = setInterval(() => this.#renew(), DEMAND_LEASE_MS / 3);
    this.#renew();
  }

  /** An agent listens now: what is wanted of its cameras is told again, with a fresh time. */
  agentSubscribed(agentId: string): void {
    for (const cameraId of this.#owners.camerasOf(agentId)) {
      if (this.#wantedProfiles(cameraId).length > 0) this.#send(cameraId);
    }
  }

  close(): void {
    clearInterval(this.#renewal);
    this.#unsubscribe();
  }

  #renew(): void {
    for (const cameraId of new Set(this.#bus.demands().map((key: StreamKey) => key.cameraId)))
      this.#send(cameraId);
  }

  #send(cameraId: string): void {
    const agentId = this.#owners.ownerOf(cameraId);
    // Unknown yet: `onLearned` or the next renewal sends it.
    if (agentId === undefined) return;
    const demand: MediaDemand = {
      v: 1,
      issuedAtMs: this.#clock.nowMs(),
      streams: this.#wantedProfiles(cameraId).map((profile) => ({
        profile,
        leaseMs: DEMAND_LEASE_MS,
        sampling: this.#bus.samplingOf({ cameraId, profile }),
      })),
    };
    this.#publish(demandTopic(agentId, cameraId), Buffer.from(JSON.stringify(demand)));
  }

  #wantedProfiles(cameraId: string): StreamProfile[] {
    return this.#bus
      .demands()
      .filter((key) => key.cameraId === cameraId)
      .map((key) => key.profile);
  }
}
