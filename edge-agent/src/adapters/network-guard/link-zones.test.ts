import { expect, test } from "vitest";
import { LinkZones } from "./link-zones.ts";
import { NetworkGuard } from "./network-guard.ts";

test("a link-local address is completed by the interface on which it was heard last", () => {
  const zones = new LinkZones(() => ["eth0", "eth1"]);
  expect(zones.complete("fe80::1")).toBe("fe80::1");
  zones.heard("fe80::1%eth0");
  zones.heard("fe80::1%eth1");
  zones.heard("FE80::2%eth0");
  expect([zones.complete("fe80::1"), zones.complete("fe80::2")]).toEqual(["fe80::1%eth1", "fe80::2%eth0"]);
});

test("with one interface there is nothing to be heard; other addresses have no zone", () => {
  const zones = new LinkZones(() => ["eth0"]);
  expect(zones.complete("fe80::9")).toBe("fe80::9%eth0");
  expect(zones.complete("fe80::9%x")).toBe("fe80::9%x");
  for (const address of ["fd00::1", "10.0.0.1", "::1", "2001:db8::fe80"]) {
    zones.heard(`${address}%eth0`);
    expect(zones.complete(address)).toBe(address);
  }
});

test("who floods the book pushes out the oldest", () => {
  const zones = new LinkZones(() => []);
  for (let i = 0; i < 5_000; i++) zones.heard(`fe80::${i.toString(16)}%eth0`);
  expect(zones.complete("fe80::1")).toBe("fe80::1");
  expect(zones.complete("fe80::1387")).toBe("fe80::1387%eth0");
});

test("the guard judges the address and gives it with its zone", async () => {
  const zones = new LinkZones(() => ["eth0"]);
  const guard = new NetworkGuard({ zones });
  expect(await guard.assertReachable("[fe80::1]")).toEqual({
    host: "fe80::1",
    address: "fe80::1%eth0",
    family: 6,
  });
  await expect(
    new NetworkGuard({ zones, networks: ["10.0.0.0/8"] }).assertReachable("fe80::1"),
  ).rejects.toMatchObject({ code: "ADDRESS_OUTSIDE_SITE" });
});
