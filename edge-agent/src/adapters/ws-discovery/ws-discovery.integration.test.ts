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

  test("an interface that cannot be probed stops no other, and is told once", async () => {
    await simulator.start({ name: "Yard", source: { kind: "clock" }, discovery: true });
    const warnings: unknown[] = [];
    const log = {
      info: () => undefined,
      warn: (fields: unknown) => warnings.push(fields),
      error: () => undefined,
    };
    const discovery = new WsDiscovery({
      port,
      listenMs: 300,
      log,
      interfaces: [
        { family: 4, zone: "gone", address: "192.0.2.77" },
        { family: 4, zone: "lo", address: "127.0.0.1" },
      ],
    });
    expect(await discovery.probe(new AbortController().signal)).toHaveLength(1);
    await discovery.probe(new AbortController().signal);
    expect(warnings).toHaveLength(1);
  });

  test("asks a device that told no address where it is, and offers the well-known path until it says so", async () => {
    const device = createSocket({ type: "udp4", reuseAddr: true }).bind(port, "0.0.0.0");
    await once(device, "listening");
    device.addMembership("239.255.255.250", "127.0.0.1");
    let resolves = 0;
    device.on("message", (message, from) => {
      const id = /<w:MessageID>([^<]*)</.exec(String(message))?.[1];
      const match = (kind: string, n: number, xaddrs: string): string =>
        `<${kind}Match><EndpointReference><Address>urn:${n}</Address></EndpointReference>${xaddrs}</${kind}Match>`;
      const isResolve = message.includes("<d:Resolve>");
      if (isResolve) resolves += 1;
      const body = isResolve
        ? message.includes("urn:1")
          ? match("Resolve", 1, "<XAddrs>http://127.0.0.1:81/x</XAddrs>")
          : ""
        : match("Probe", 1, "") + match("Probe", 2, "<XAddrs>http://192.0.2.1/x</XAddrs>");
      device.send(`<a><RelatesTo>${id}</RelatesTo>${body}</a>`, from.port, from.address);
    });
    const found = await probe();
    expect(found.map(({ endpoint, onvifUrl, isGuess = false }) => [endpoint, onvifUrl, isGuess])).toEqual([
      ["urn:1", "http://127.0.0.1:81/x", false],
      ["urn:2", "http://127.0.0.1/onvif/device_service", true],
    ]);
    expect(resolves).toBe(2);
    device.close();
  });

  test("finds devices over IPv6", async ({ skip }) => {
    const device = createSocket({ type: "udp6", reuseAddr: true }).bind(port, "::");
    await once(device, "listening");
    try {
      device.addMembership("ff02::c", "::%lo");
    } catch {
      device.close();
      skip("this machine has no IPv6 multicast on its loopback interface");
    }
    device.on("message", (message, from) => {
      const id = /<w:MessageID>([^<]*)</.exec(String(message))?.[1];
      const host = from.address.replace(/%.*$/, "");
      const match = `<ProbeMatch><EndpointReference><Address>urn:6</Address></EndpointReference><XAddrs>http://[${host}]:81/x</XAddrs></ProbeMatch>`;
      device.send(`<a><RelatesTo>${id}</RelatesTo>${match}</a>`, from.port, from.address);
    });
    const on = { family: 6, zone: "lo", address: "::1" } as const;
    const found = await new WsDiscovery({ port, listenMs: 300, interfaces: [on] })
      .probe(new AbortController().signal)
      .catch((error: NodeJS.ErrnoException) => error.code);
    device.close();
    if (!Array.isArray(found)) skip(`IPv6 multicast on loopback: ${found}`);
    expect(found).toMatchObject([{ endpoint: "urn:6" }]);
  });

  test("ends when it is told to", async () => {
    const stop = new AbortController();
    const probing = new WsDiscovery({ interfaceAddress: "127.0.0.1", port }).probe(stop.signal);
    stop.abort(new Error("stopped"));
    await expect(probing).rejects.toThrow();
  });
});
