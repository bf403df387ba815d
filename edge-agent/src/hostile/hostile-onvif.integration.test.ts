// An ONVIF impostor among eight cameras: it gets a coded condition, and the other seven never notice.
import type { SimulatedCamera } from "@huishi/camera-simulator";
import { sleep } from "@huishi/kernel";
import { type Server, createServer } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../test-support/centre.ts";
import { HostileSite } from "./test-support/hostile-site.ts";
import { type Mischief, OnvifImpostor } from "./test-support/onvif-impostor.ts";

const ACCOUNT = { username: "operator", password: "pa55word" };
const NAME = `<img src=x onerror="alert(1)"><script>alert('${"x".repeat(20)}')</script>&amp;`;
let site: HostileSite;
let camera: SimulatedCamera;
let impostor: OnvifImpostor;
/** On another address of this machine: whoever follows an address out of the site ends here. */
let outside: Server;
let outsideConnections = 0;

beforeAll(async () => {
  site = await HostileSite.start();
  const source = { kind: "clip", codec: "h264", width: 320, height: 240, fps: 15, groupSeconds: 1 } as const;
  camera = await site.simulator.start({ name: NAME, serial: "EVIL-1", source, ...ACCOUNT });
  impostor = await OnvifImpostor.start(camera.onvifUrl);
  outside = createServer((socket) => {
    outsideConnections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.2", resolve));
}, 120_000);
afterAll(async () => {
  outside.close();
  await site.stop();
  await impostor.stop();
}, 60_000);
afterEach(async () => {
  impostor.mischief = "pass";
  impostor.change = (xml) => xml;
  await site.end();
}, 60_000);

const outsidePort = (): number => (outside.address() as { port: number }).port;
const CODES: Record<Mischief, readonly string[]> = {
  pass: [],
  xml_bomb: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  external_entity: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  one_megabyte: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  endless_body: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL", "CAMERA_UNREACHABLE"],
  hundred_thousand_deep: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  endless_headers: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL", "CAMERA_UNREACHABLE"],
  garbage: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  cut_short: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
  silent: ["CAMERA_UNREACHABLE"],
  not_xml: ["CAMERA_ANSWER_REFUSED", "CAMERA_PROTOCOL"],
};

describe("from its first answer on", () => {
  test.each(Object.entries(CODES).filter(([mischief]) => mischief !== "pass"))(
    "%s: a coded condition, and nothing else is touched",
    { timeout: 120_000 },
    async (mischief, codes) => {
      impostor.mischief = mischief as Mischief;
      await site.run({ onvif: impostor.url, ...ACCOUNT });
      const mark = site.mark();
      const { code } = await site.fault(0);
      expect(codes).toContain(code);
      await site.expectUnharmed(mark);
      expect(site.log).not.toContain("root:x:0");
    },
  );
});

test(
  "a camera that turns into an impostor is read again when it is itself",
  { timeout: 180_000 },
  async () => {
    await site.run({ onvif: impostor.url, ...ACCOUNT });
    await until("pictures", () => site.hostileUnits() > 5, 30_000);
    const mark = site.mark();
    for (const mischief of ["hundred_thousand_deep", "xml_bomb", "silent"] as const) {
      impostor.mischief = mischief;
      camera.dropClients();
      await sleep(1_500);
    }
    impostor.mischief = "pass";
    const before = site.hostileUnits();
    await until("pictures again", () => site.hostileUnits() > before + 5, 60_000);
    await site.expectUnharmed(mark);
  },
);

test("a name of markup comes as text, at the length of a name", { timeout: 60_000 }, async () => {
  await site.run({ onvif: impostor.url, ...ACCOUNT });
  const inventory = await until("inventory", () =>
    site.centre.eventsOf("camera_inventory").find(({ cameraId }) => cameraId === "hostile"),
  );
  expect(inventory.name.length).toBeLessThanOrEqual(200);
  expect(inventory.cameraId).toMatch(/^[a-z0-9-]+$/);
});

describe("addresses that lead out of the site", () => {
  test.each([
    ["another host of this machine", () => `127.0.0.2:${outsidePort()}`],
    ["the metadata service of a cloud", () => "169.254.169.254"],
    ["a decimal address", () => `2130706434:${outsidePort()}`],
    ["a mapped IPv6 address", () => `[::ffff:127.0.0.2]:${outsidePort()}`],
  ])("in XAddrs and stream addresses: nobody is called at %s", { timeout: 120_000 }, async (_what, host) => {
    const real = new URL(camera.onvifUrl).host;
    const rtsp = new URL(camera.rtspMainUrl).host;
    impostor.change = (xml) => xml.replaceAll(real, host()).replaceAll(rtsp, host());
    await site.run({ onvif: impostor.url, ...ACCOUNT });
    const mark = site.mark();
    await site.expectUnharmed(mark, 40);
    expect(outsideConnections).toBe(0);
  });
});
