export * from "./modbus-server.ts";
export * from "./play.ts";
export * from "./scene.ts";
export * from "./senders.ts";
