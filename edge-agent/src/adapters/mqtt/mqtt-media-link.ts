import { type StreamKey, mediaClientId, mediaTopic } from "@huishi/contracts";
import type { MqttClient } from "mqtt";
import type { Identity } from "../../application/claim-identity.ts";
import type { MediaLink } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { runMqttSession } from "./mqtt-session.ts";

/**
 * Media over an MQTT connection of its own, QoS 0: what does not fit is dropped before it gets here (GopGate),
 * because MQTT.js queues without a bound. Media can never delay events this way.
 */
export class MqttMediaLink implements MediaLink {
  readonly #identity: Identity;
  readonly #ca: string | undefined;
  #client: MqttClient | null = null;

  /** @param ca certificate authority for `mqtts:`, PEM */
  constructor(identity: Identity, ca?: string) {
    this.#identity = identity;
    this.#ca = ca;
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false;
  }

  get queuedBytes(): number {
    return this.#client?.stream.writableLength ?? 0;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { agentId, secret, mqttUrl } = this.#identity;
    try {
      await runMqttSession(
        mqttUrl,
        // An account of its own behind a broker (docs/decisions/0011); the endpoint in the process takes it too.
        {
          clientId: mediaClientId(agentId),
          username: mediaClientId(agentId),
          password: secret,
          ca: this.#ca,
        },
        { onOpen: async (client) => void (this.#client = client) },
        signal,
      );
    } finally {
      this.#client = null;
    }
  }

  publish({ cameraId, profile }: StreamKey, fragment: Uint8Array): void {
    const payload = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength);
    this.#client?.publish(mediaTopic(this.#identity.agentId, cameraId, profile), payload, { qos: 0 });
  }

  async publishAcknowledged(topic: string, bytes: Uint8Array): Promise<void> {
    const client = this.#client;
    if (!client?.connected) throw new EdgeError("SERVER_UNREACHABLE", "the media connection is down");
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await new Promise<void>((resolve, reject) => {
      const onClose = (): void =>
        reject(new EdgeError("SERVER_UNREACHABLE", "the media connection was lost"));
      client.once("close", onClose);
      client.publish(topic, payload, { qos: 1 }, (error) => {
        client.off("close", onClose);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
