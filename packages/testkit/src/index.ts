export * from "./test-database.ts";
export * from "./rows.ts";
export * from "./mqtt-client.ts";
export * from "./wait.ts";
export * from "./tls-files.ts";
export * from "./mosquitto.ts";
export * from "./bad-network.ts";
export * from "./nats-server.ts";
