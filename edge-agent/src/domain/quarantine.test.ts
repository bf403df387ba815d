import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_QUARANTINED, Quarantine, type Sighting } from "./quarantine.ts";

const DAY = 86_400_000;
const seen = (n: number, more: Partial<Sighting> = {}): Sighting => ({
  endpoint: `urn:${n}`,
  how: "ws_discovery",
  address: `10.0.0.${n}:80`,
  onvifUrl: `http://10.0.0.${n}/onvif/device_service`,
  ...more,
});
const scanned = (n: number, more: Partial<Sighting> = {}): Sighting => {
  const { endpoint: _, ...rest } = seen(n);
  return { ...rest, how: "subnet_probe", ...more };
};

test("a device is news once, and again when it says something new", () => {
  const quarantine = new Quarantine();
  expect(quarantine.see(seen(1), 0)).toMatchObject({ deviceKey: "urn:1", firstSeenMs: 0 });
  expect(quarantine.see(seen(1), 5)).toBeNull();
  expect(quarantine.see(seen(1, { name: "Gate" }), 6)).toMatchObject({
    name: "Gate",
    firstSeenMs: 0,
    lastSeenMs: 6,
  });
});

test("a device keeps its key under a new address", () => {
  const quarantine = new Quarantine();
  quarantine.see(seen(1), 0);
  expect(quarantine.see(seen(1, { address: "10.0.0.9:80", onvifUrl: "http://10.0.0.9/" }), 1)).toMatchObject({
    deviceKey: "urn:1",
    address: "10.0.0.9:80",
  });
  expect(quarantine.devices).toHaveLength(1);
});

test("a scan finds the device that discovery knows, and discovery the one that a scan found", () => {
  const quarantine = new Quarantine();
  quarantine.see(seen(1, { name: "Gate" }), 0);
  expect(quarantine.see(scanned(1, { rtspPort: 554 }), 1)).toMatchObject({
    deviceKey: "urn:1",
    name: "Gate",
    rtspPort: 554,
  });
  expect(quarantine.see(scanned(2), 1)?.deviceKey).toBe("address:10.0.0.2:80");
  expect(quarantine.see(seen(2), 2)).toMatchObject({ deviceKey: "urn:2", firstSeenMs: 1 });
  expect(quarantine.devices).toHaveLength(2);
});

test("a guessed address takes no known one's place", () => {
  const quarantine = new Quarantine();
  quarantine.see(seen(1), 0);
  expect(
    quarantine.see(seen(1, { address: "10.0.0.1:81", onvifUrl: "http://10.0.0.1:81/", isGuess: true }), 1),
  ).toBeNull();
});

test("a device that was not seen for long is gone, told once", () => {
  const quarantine = new Quarantine();
  quarantine.see(seen(1), 0);
  quarantine.see(scanned(2), 0);
  expect(quarantine.sweep(DAY - 1)).toEqual([]);
  expect(quarantine.sweep(DAY).map(({ deviceKey }) => deviceKey)).toEqual(["urn:1"]);
  expect(quarantine.sweep(DAY)).toEqual([]);
  expect(quarantine.sweep(30 * DAY)).toHaveLength(1);
});

test("a flood of new devices pushes none out", () => {
  const quarantine = new Quarantine();
  for (let n = 0; n < MAX_QUARANTINED + 5; n++) quarantine.see(seen(n), n);
  expect(quarantine.devices).toHaveLength(MAX_QUARANTINED);
  expect(quarantine.refused).toBe(5);
  expect(quarantine.find("urn:0")).not.toBeNull();
});

test("keys are never held twice, whatever is seen in whatever order", () => {
  const sighting = fc.record({
    n: fc.nat(3),
    at: fc.nat(3),
    isScan: fc.boolean(),
    rtspPort: fc.option(fc.constant(554)),
  });
  fc.assert(
    fc.property(fc.array(sighting), (sightings) => {
      const quarantine = new Quarantine();
      for (const { n, at, isScan, rtspPort } of sightings) {
        const port = rtspPort === null ? {} : { rtspPort };
        quarantine.see(isScan ? scanned(at, port) : { ...seen(at, port), endpoint: `urn:${n}` }, 1);
        const keys = quarantine.devices.map(({ deviceKey }) => deviceKey);
        expect(new Set(keys).size).toBe(keys.length);
      }
    }),
  );
});
