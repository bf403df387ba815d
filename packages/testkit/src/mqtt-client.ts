import { readFile } from "node:fs/promises";
import { mediaClientId } from "@huishi/contracts";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import type { TestAgent } from "./rows.ts";

/** Where an agent signs in: a port of 127.0.0.1 without TLS, or with the authority to trust. */
export type MqttPlace = number | { readonly port: number; readonly caFile?: string };

/** A real MQTT.js client signed in as that agent: its events connection, or its media connection. */
export async function connectAgent(
  place: MqttPlace,
  agent: TestAgent,
  options: IClientOptions & { readonly connection?: "events" | "media" } = {},
): Promise<MqttClient> {
  const { connection = "events", ...rest } = options;
  const { port, caFile } = typeof place === "number" ? { port: place } : place;
  const clientId = connection === "media" ? mediaClientId(agent.id) : agent.id;
  return connectAsync({
    host: "127.0.0.1",
    port,
    protocol: caFile === undefined ? "mqtt" : "mqtts",
    ...(caFile !== undefined && { ca: await readFile(caFile) }),
    protocolVersion: 4,
    // The account's name is the client id: the rule that fits every entrance.
    username: clientId,
    password: agent.secret,
    clientId,
    reconnectPeriod: 0,
    connectTimeout: 10_000,
    ...rest,
  });
}
