import type { BatchReceipt } from "../domain/event-validation.ts";
import type { Judgement } from "./authentication.ts";
import type { Session } from "../domain/topic-rights.ts";

/** What an entrance needs of the service behind it. */
export interface EntranceHandlers {
  /**
   * Resolves when committed: only then may anything be acknowledged. The receipt is set when the agent asked for an
   * application-level acknowledgement (`EventAck`). Rejects with NOT_COMMITTED when it was forgotten.
   *
   * @param connection what `connectionLost` names later; identity only
   */
  acceptEvents(
    connection: object,
    agentId: string,
    topic: string,
    payload: Uint8Array,
  ): Promise<BatchReceipt | null>;
  acceptStatus(agentId: string, payload: Uint8Array): void;
  acceptMedia(agentId: string, cameraId: string, profile: "main" | "sub", fragment: Uint8Array): void;
  /** A chunk of an upload. Resolves when it is on the disk or is none of ours: only then is it acknowledged. */
  acceptUpload(agentId: string, transferId: string, topic: string, payload: Uint8Array): Promise<void>;
  connected(session: Session): void;
  disconnected(session: Session): void;
  /** What came by this connection and is not committed will come again: it need not be committed now. */
  connectionLost(connection: object): void;
  subscribedToDemands(agentId: string): void;
  /** The agent hears its configuration and commands from now on. */
  subscribedToControl(agentId: string): void;
  /** What an agent answers to a command. Resolves when it is stored; never rejects. */
  acceptReply(agentId: string, payload: Uint8Array): Promise<void>;
  /** Rejects when it cannot be found out. */
  judge(agentId: string, secret: Uint8Array): Promise<Judgement>;
  /** Those of the given agents that are revoked or unknown. */
  revokedAmong(agentIds: readonly string[]): Promise<readonly string[]>;
}

/** Where agents' messages come in: an endpoint of our own, or a broker that stands between. */
export interface MqttEntrance {
  /** For logs, metrics and readiness; holds no secret. */
  readonly description: string;
  /** Can agents' messages come in at this moment? */
  readonly isConnected: boolean;
  readonly connectionCount: number;
  /** Keeps a message at QoS 1 for whoever subscribes to the topic now or later. */
  publishRetained(topic: string, payload: Buffer): void;
  /** Sends a message at QoS 1 to whoever subscribes to the topic now; kept for nobody. */
  publish(topic: string, payload: Buffer): void;
  /** The agent was revoked: both its connections end now, and nothing more of it counts. */
  cut(agentId: string): void;
  close(): Promise<void>;
}

/** A revoked agent is refused within five seconds: this often, those that are there are looked up, as a notification
 * may get lost. */
export const REVOCATION_CHECK_MS = 4_000;
