import { mediaClientId } from "@huishi/contracts";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { TestAgent } from "./rows.ts";

/** A real MQTT.js client signed in as that agent: its events connection, or its media connection. */
export function connectAgent(
  port: number,
  agent: TestAgent,
  options: IClientOptions & { readonly connection?: "events" | "media" } = {},
): Promise<MqttClient> {
  const { connection = "events", ...rest } = options;
  return connectAsync({
    host: "127.0.0.1",
    port,
    protocol: "mqtt",
    protocolVersion: 4,
    username: agent.id,
    password: agent.secret,
    clientId: connection === "media" ? mediaClientId(agent.id) : agent.id,
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    ...rest,
  });
}
