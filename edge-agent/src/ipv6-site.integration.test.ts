// A site with IPv6 alone: found over ff02::c, adopted, and everything spoken over [addresses].
import { type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { FromSiteAgent, SiteAgent, ToSiteAgent } from "./test-support/site-agent.ts";
import type { SiteCameras, StartedCamera } from "./test-support/site-cameras.ts";
import { SiteNetwork } from "./test-support/site-network.ts";

const entry = (name: string): string => fileURLToPath(new URL(`./test-support/${name}.ts`, import.meta.url));
const ACCOUNT = { username: "operator", password: "pa55word" };
let network: SiteNetwork | null = null;
let folder: string | null = null;
afterEach(async () => {
  await network?.remove();
  if (folder) await rm(folder, { recursive: true, force: true });
}, 60_000);

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code) => reject(new Error(`the process ended with ${code}`)));
  });
}

test(
  "cameras with IPv6 alone are found, adopted, played and photographed",
  { timeout: 120_000 },
  async ({ skip }) => {
    const made = await SiteNetwork.create();
    if (typeof made === "string") {
      skip(`needs network namespaces: ${made}`);
      return;
    }
    network = made;
    folder = await mkdtemp(join(tmpdir(), "huishi-ipv6-"));
    const { link, routed } = SiteNetwork.addressesOf("cameras");
    const discoveryInterface = SiteNetwork.interfaceName;
    const site: SiteCameras = {
      cacheDir: join(folder, "cache"),
      cameras: [
        // It listens on every address, and names its routed one alone, as devices do.
        { name: "Routed", serial: "R-1", host: "::", discoveryInterface, ...ACCOUNT },
        {
          name: "Link",
          serial: "L-1",
          host: `${link}%${discoveryInterface}`,
          discoveryInterface,
          ...ACCOUNT,
        },
        { name: "Typed", serial: "T-1", host: routed },
      ],
    };
    const cameras = await answerOf<StartedCamera[]>(network.start("cameras", entry("site-cameras"), site));
    const typed = cameras.find(({ name }) => name === "Typed") as StartedCamera;
    expect(typed.onvifUrl).toContain(`http://[${routed}]:`);

    const settings: SiteAgent = { stateDir: join(folder, "state"), devices: 2 };
    const agent = network.start("agent", entry("site-agent"), settings);
    const found = await answerOf<FromSiteAgent>(agent);
    if (found.kind !== "found") throw new Error("the agent told something else first");
    const keyOf = (name: string): string => cameras.find((camera) => camera.name === name)?.endpoint ?? "";
    expect(found.devices.map(({ key }) => key).toSorted()).toEqual(
      [keyOf("Link"), keyOf("Routed")].toSorted(),
    );
    for (const { url } of found.devices)
      expect(url).toMatch(/^http:\/\/\[fe80::c\]:\d+\/onvif\/device_service$/);

    const order: ToSiteAgent = {
      cameras: [
        { id: "routed", device: keyOf("Routed"), ...ACCOUNT },
        { id: "link", device: keyOf("Link"), ...ACCOUNT },
        { id: "typed", onvif: typed.onvifUrl },
        { id: "typed-rtsp", rtsp: { main: typed.rtspMainUrl } },
      ],
    };
    const answer = answerOf<FromSiteAgent>(agent);
    agent.send(order);
    const seen = await answer;
    if (seen.kind !== "seen") throw new Error("the agent told something else");
    for (const [id, camera] of Object.entries(seen.cameras)) {
      expect(camera.units, id).toBeGreaterThan(30);
      expect(camera.keyframes, id).toBeGreaterThan(1);
      if (id !== "typed-rtsp") expect(camera.snapshot, id).toBeGreaterThan(1_000);
    }
    expect(seen.cameras["link"]?.name).toBe("Link");
    expect(seen.cameras["routed"]?.address).toContain("[fe80::c]:");
    expect(seen.cameras["typed"]?.address).toContain(`[${routed}]:`);
  },
);
