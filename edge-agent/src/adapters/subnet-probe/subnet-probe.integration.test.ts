import { CameraSimulator } from "@huishi/camera-simulator";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NetworkGuard } from "../network-guard/network-guard.ts";
import { SubnetProbe } from "./subnet-probe.ts";

const guard = new NetworkGuard({ networks: ["127.0.0.0/24"] });
const never = new AbortController().signal;

test("finds ONVIF and RTSP without one sign-in, and passes over what only listens", async () => {
  const folder = await mkdtemp(join(tmpdir(), "subnet-"));
  const simulator = new CameraSimulator({ cacheDir: folder });
  const silent = createServer(() => undefined).listen(0, "127.0.0.3");
  await once(silent, "listening");
  const silentPort = (silent.address() as AddressInfo).port;
  try {
    const camera = await simulator.start({
      name: "Gate",
      source: { kind: "clock", width: 320, height: 240, fps: 5 },
      username: "admin",
      password: "secret-1",
    });
    const port = (url: string): number => Number(new URL(url).port);
    const probe = new SubnetProbe({
      guard,
      onvifPorts: [silentPort, port(camera.onvifUrl)],
      rtspPorts: [silentPort, port(camera.rtspMainUrl)],
    });
    const found = await probe.probe(["127.0.0.1", "127.0.0.2", "127.0.0.3", "8.8.8.8"], never);
    expect(found).toEqual([
      { address: "127.0.0.1", onvifUrl: camera.onvifUrl, rtspPort: port(camera.rtspMainUrl) },
    ]);
    expect(camera.statistics().failedSignIns).toBe(0);
  } finally {
    await simulator.stop();
    silent.close();
    await rm(folder, { recursive: true, force: true });
  }
});

test("ends when it is told to", async () => {
  const stop = new AbortController();
  const probing = new SubnetProbe({ guard, onvifPorts: [9], rtspPorts: [] }).probe(
    ["127.0.0.1"],
    stop.signal,
  );
  stop.abort(new Error("stopped"));
  await expect(probing).rejects.toThrow("stopped");
});
