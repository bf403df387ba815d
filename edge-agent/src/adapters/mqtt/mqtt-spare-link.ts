import { eventsTopic, spareClientId } from "@huishi/contracts";
import type { MqttClient } from "mqtt";
import type { Identity } from "../../application/claim-identity.ts";
import type { SpareLink } from "../../application/hedged-events.ts";
import type { EventBatch } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { runMqttSession } from "./mqtt-session.ts";

/** A further connection of the same agent on which it may only say events; its PUBACK means committed, as on the first. */
export class MqttSpareLink implements SpareLink {
  readonly name: string;
  readonly #identity: Identity;
  readonly #number: number;
  readonly #ca: string | undefined;
  #client: MqttClient | null = null;

  /** @param number from 1 to MAX_SPARE_CONNECTIONS */
  constructor(identity: Identity, number: number, ca?: string) {
    this.name = `spare connection ${number}`;
    this.#identity = identity;
    this.#number = number;
    this.#ca = ca;
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { agentId, secret, mqttUrl } = this.#identity;
    const clientId = spareClientId(agentId, this.#number);
    try {
      await runMqttSession(
        mqttUrl,
        { clientId, username: agentId, password: secret, ca: this.#ca },
        { onOpen: async (client) => void (this.#client = client) },
        signal,
      );
    } finally {
      this.#client = null;
    }
  }

  async publishBatch({ boot, events }: EventBatch): Promise<void> {
    const client = this.#client;
    if (!client) throw new EdgeError("SERVER_UNREACHABLE", "the spare connection is down");
    const payload = JSON.stringify({ v: 1, boot, events });
    await new Promise<void>((resolve, reject) => {
      const onClose = (): void =>
        reject(new EdgeError("SERVER_UNREACHABLE", "the spare connection was lost"));
      client.once("close", onClose);
      client.publish(eventsTopic(this.#identity.agentId), payload, { qos: 1 }, (error) => {
        client.off("close", onClose);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
