import { type StreamKey, mediaClientId, mediaTopic } from "@huishi/contracts";
import type { MqttClient } from "mqtt";
import type { Identity } from "../../application/claim-identity.ts";
import type { MediaLink } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { MEDIA_HIGH_WATER_BYTES, type MediaQueue } from "../../domain/gop-gate.ts";
import type { LineReading } from "../../domain/line-pace.ts";
import { LineProbe } from "../../domain/line-probe.ts";
import { runMqttSession } from "./mqtt-session.ts";

/** While media goes out, the other end is asked this often how far it has come. */
const ASK_MS = 250;

/**
 * Media over an MQTT connection of its own, QoS 0: what does not fit is dropped before it gets here (GopGate),
 * because MQTT.js queues without a bound. What the system's own buffers hold is seen by asking: PINGREQ (MQTT 3.1.1 §3.12)
 * goes in the same stream, and its answer says that everything before it has arrived.
 */
export class MqttMediaLink implements MediaLink {
  readonly #identity: Identity;
  readonly #ca: string | undefined;
  #client: MqttClient | null = null;
  #probe = new LineProbe();
  #asking: NodeJS.Timeout | undefined;

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

  get queue(): MediaQueue {
    const limitBytes = this.#probe.limitBytes(performance.now());
    if (limitBytes === null) return { bytes: this.queuedBytes, limitBytes: MEDIA_HIGH_WATER_BYTES };
    return {
      bytes: this.#probe.unansweredBytes,
      limitBytes: Math.min(MEDIA_HIGH_WATER_BYTES, limitBytes),
    };
  }

  /** What is known of the line, of `performance.now()`. */
  read(): LineReading {
    const nowMs = performance.now();
    return {
      nowMs,
      queueMs: this.#probe.queueMs(nowMs),
      deliveredBytesPerS: this.#probe.deliveredBytesPerS(nowMs),
    };
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
        { onOpen: async (client) => this.#open(client) },
        signal,
      );
    } finally {
      clearInterval(this.#asking);
      this.#client = null;
    }
  }

  #open(client: MqttClient): void {
    const probe = new LineProbe();
    this.#probe = probe;
    this.#client = client;
    client.on("packetreceive", ({ cmd }) => {
      if (cmd === "pingresp") probe.answered(performance.now());
    });
    this.#asking = setInterval(() => {
      if (client.connected && probe.ask(performance.now())) client.sendPing();
    }, ASK_MS);
  }

  publish({ cameraId, profile }: StreamKey, fragment: Uint8Array): void {
    const payload = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength);
    if (!this.#client) return;
    this.#probe.sent(payload.byteLength);
    this.#client.publish(mediaTopic(this.#identity.agentId, cameraId, profile), payload, { qos: 0 });
  }

  async publishAcknowledged(topic: string, bytes: Uint8Array): Promise<void> {
    const client = this.#client;
    if (!client?.connected) throw new EdgeError("SERVER_UNREACHABLE", "the media connection is down");
    const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#probe.sent(payload.byteLength);
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
