import { expect, test } from "vitest";
import { NetworkGuard, pinnedLookup, type Resolve } from "./network-guard.ts";

const OUTSIDE = expect.objectContaining({ code: "ADDRESS_OUTSIDE_SITE" }) as Error;
const resolver = (...addresses: string[]): Resolve & { asked: number } => {
  const resolve = Object.assign(
    async () => {
      resolve.asked += 1;
      return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
    { asked: 0 },
  );
  return resolve;
};

test("addresses of the site are taken, others refused without asking anybody", async () => {
  const resolve = resolver("10.0.0.1");
  const guard = new NetworkGuard({ resolve });
  expect(await guard.assertReachable("192.168.1.9")).toMatchObject({ address: "192.168.1.9", family: 4 });
  expect(await guard.assertReachable("[fe80::1]")).toMatchObject({ address: "fe80::1", family: 6 });
  for (const host of ["127.0.0.1", "[::ffff:10.0.0.1]", "2130706433", "0x7f.1", "010.0.0.1", "8.8.8.8", ""])
    await expect(guard.assertReachable(host)).rejects.toEqual(OUTSIDE);
  expect(resolve.asked).toBe(0);
});

test("a name is resolved once, and every address of it must be the site's", async () => {
  const good = resolver("10.0.0.5");
  const resolved = await new NetworkGuard({ resolve: good }).assertReachable("cam.lan");
  expect(good.asked).toBe(1);
  pinnedLookup(resolved)("evil.example", {}, (_error, address) => expect(address).toBe("10.0.0.5"));
  const mixed = new NetworkGuard({ resolve: resolver("10.0.0.5", "127.0.0.1") });
  await expect(mixed.assertReachable("cam.lan")).rejects.toEqual(OUTSIDE);
});

test("what a person typed is spoken to as typed, and nothing beside it", async () => {
  const guard = new NetworkGuard({ typedHosts: ["127.0.0.1"] });
  expect((await guard.assertReachable("127.0.0.1")).address).toBe("127.0.0.1");
  await expect(guard.assertReachable("127.0.0.2")).rejects.toEqual(OUTSIDE);
});

test("a name that nobody knows is no device that answers", async () => {
  const guard = new NetworkGuard({ resolve: () => Promise.reject(new Error("ENOTFOUND")) });
  await expect(guard.assertReachable("cam.lan")).rejects.toMatchObject({ code: "CAMERA_UNREACHABLE" });
});

test("wrong networks are refused and the former ones stay", async () => {
  const guard = new NetworkGuard({ networks: ["10.0.0.0/8"] });
  expect(() => guard.setNetworks(["nonsense"])).toThrow();
  expect((await guard.assertReachable("10.1.1.1")).address).toBe("10.1.1.1");
  guard.setNetworks(["10.2.0.0/16"]);
  await expect(guard.assertReachable("10.1.1.1")).rejects.toEqual(OUTSIDE);
});
