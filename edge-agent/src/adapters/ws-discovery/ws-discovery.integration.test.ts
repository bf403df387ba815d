import { CameraSimulator } from "@huishi/camera-simulator";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WsDiscovery } from "./ws-discovery.ts";

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

describe("WS-Discovery on the loopback interface", () => {
  let folder: string;
  let port: number;
  let simulator: CameraSimulator;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "discovery-"));
    port = await freeUdpPort();
    simulator = new CameraSimulator({ cacheDir: folder, discoveryPort: port });
  });
  afterEach(async () => {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const probe = () =>
    new WsDiscovery({ interfaceAddress: "127.0.0.1", port, listenMs: 500 }).probe(
      new AbortController().signal,
    );

  test("finds each camera once, with its address and name", async () => {
    const source = { kind: "clock", width: 320, height: 240, fps: 5 } as const;
    const cameras = [
      await simulator.start({ name: "North gate", source, discovery: true }),
      await simulator.start({ name: "Yard", source, discovery: true }),
    ];
    const found = await probe();
    expect(found.map(({ onvifUrl }) => onvifUrl).sort()).toEqual(
      cameras.map(({ onvifUrl }) => onvifUrl).sort(),
    );
    expect(new Set(found.map(({ name }) => name))).toEqual(new Set(["North gate", "Yard"]));
  });

  test("goes on when somebody answers with garbage", async () => {
    const noise = createSocket({ type: "udp4", reuseAddr: true }).bind(port, "0.0.0.0");
    await once(noise, "listening");
    noise.addMembership("239.255.255.250", "127.0.0.1");
    noise.on("message", (_message, from) => noise.send("<garbage", from.port, from.address));
    await simulator.start({ name: "Yard", source: { kind: "clock" }, discovery: true });
    expect(await probe()).toHaveLength(1);
    noise.close();
  });

  test("ends when it is told to", async () => {
    const stop = new AbortController();
    const probing = new WsDiscovery({ interfaceAddress: "127.0.0.1", port }).probe(stop.signal);
    stop.abort(new Error("stopped"));
    await expect(probing).rejects.toThrow();
  });
});
