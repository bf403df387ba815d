import { expect, test } from "vitest";
import { recordedLog } from "../test-support/recorded-log.ts";
import type { QuarantinedDevice } from "../domain/quarantine.ts";
import { DeviceWatch, type QuarantineStore } from "./device-watch.ts";
import type { EventDraft, FoundDevice, ProbedAddress } from "./ports.ts";

const camera: FoundDevice = {
  endpoint: "urn:1",
  onvifUrl: "http://10.0.0.1/onvif",
  name: "Gate",
  hardware: null,
};
const never = new AbortController().signal;

function make(more: { answers?: ProbedAddress[]; store?: QuarantineStore } = {}) {
  const events: EventDraft[] = [];
  const adopted = new Set<string>();
  const asked: string[][] = [];
  let found: FoundDevice[] = [camera];
  let nowMs = 1_000;
  let stored: readonly QuarantinedDevice[] = [];
  const store = more.store ?? {
    load: async () => [...stored],
    save: async (devices) => void (stored = devices),
  };
  const start = () =>
    new DeviceWatch({
      discovery: { probe: async () => found },
      probe: {
        probe: async (addresses) => {
          asked.push([...addresses]);
          return more.answers ?? [];
        },
      },
      store,
      recorder: { record: (event) => void events.push(event) },
      clock: { nowMs: () => nowMs } as never,
      log: recordedLog(),
      isAdopted: ({ deviceKey }) => adopted.has(deviceKey),
      isOfSite: (network) => network.startsWith("10."),
    });
  return {
    start,
    events,
    adopted,
    asked,
    see: (devices: FoundDevice[]) => void (found = devices),
    later: (ms: number) => void (nowMs += ms),
  };
}

test("an unknown device is told once a change, and once more never after a restart", async () => {
  const site = make();
  const watch = site.start();
  await watch.probe(never);
  await watch.probe(never);
  expect(site.events).toMatchObject([{ type: "device_found", deviceKey: "urn:1", address: "10.0.0.1" }]);
  await site.start().probe(never);
  expect(site.events).toHaveLength(1);
  site.see([{ ...camera, onvifUrl: "http://10.0.0.2/onvif" }]);
  await watch.probe(never);
  expect(site.events.at(-1)).toMatchObject({ deviceKey: "urn:1", address: "10.0.0.2" });
  expect(watch.locate("urn:1")?.onvifUrl).toBe("http://10.0.0.2/onvif");
});

test("a device that somebody adopts leaves the quarantine, and comes back when it is given up", async () => {
  const site = make();
  const watch = site.start();
  await watch.probe(never);
  expect(watch.listQuarantine()).toHaveLength(1);
  site.adopted.add("urn:1");
  await watch.probe(never);
  expect(watch.listQuarantine()).toEqual([]);
  expect(site.events.at(-1)).toMatchObject({ gone: true });
  site.adopted.clear();
  await watch.probe(never);
  expect(site.events.at(-1)).not.toHaveProperty("gone");
  expect(site.events).toHaveLength(3);
});

test("a device that was not seen for a day is told as gone", async () => {
  const site = make();
  const watch = site.start();
  await watch.probe(never);
  site.see([]);
  site.later(86_400_000);
  await watch.probe(never);
  expect(site.events.at(-1)).toMatchObject({ deviceKey: "urn:1", gone: true });
});

test("a scan asks the addresses of the networks and tells what answered", async () => {
  const site = make({ answers: [{ address: "10.0.0.5", rtspPort: 554 }] });
  const watch = site.start();
  expect(await watch.scan({ kind: "scan", networks: ["10.0.0.4/30"] }, never)).toEqual({
    addresses: 2,
    discovered: 1,
    answered: 1,
  });
  expect(site.asked).toEqual([["10.0.0.5", "10.0.0.6"]]);
  expect(site.events.at(-1)).toMatchObject({ deviceKey: "address:10.0.0.5:554", how: "subnet_probe" });
});

test.each([["192.168.0.0/24"], ["10.0.0.0/16"], ["10.0.0.0/22", "10.4.0.0/22"]])(
  "a scan of %s is refused",
  async (...networks) => {
    await expect(make().start().scan({ kind: "scan", networks }, never)).rejects.toMatchObject({
      code: "SCAN_REFUSED",
    });
  },
);

test("a store that fails stops nothing", async () => {
  const fail = (): Promise<never> => Promise.reject(new Error("disk"));
  const site = make({ store: { load: fail, save: fail } });
  await site.start().probe(never);
  expect(site.events).toHaveLength(1);
});
