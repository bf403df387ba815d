import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressesOf, isNumericHost, parseAddress, SiteNetworks } from "./site-networks.ts";

const site = (networks?: string[]): SiteNetworks => SiteNetworks.parse(networks) as SiteNetworks;

describe("the site's networks", () => {
  test.each(["10.1.2.3", "172.31.0.1", "192.168.1.64", "fe80::1", "fe80::1%eth0", "fd00::7"])(
    "hold %s unless told otherwise",
    (address) => expect(site().allows(address)).toBe(true),
  );

  test.each(
    (
      "8.8.8.8 127.0.0.1 169.254.169.254 0.0.0.0 255.255.255.255 224.0.0.1 ::1 :: ::ffff:10.0.0.1 ::ffff:a00:1 ::10.0.0.1 " +
      "64:ff9b::a00:1 2002:a00:1::1 ff02::c 2001:db8::1 010.0.0.1 0x0a.0.0.1 167772161 10.1 10.0.0.1. 10.0.0.256 localhost"
    ).split(" "),
  )("do not hold %s", (address) => expect(site().allows(address)).toBe(false));

  test("open loopback and link-local addresses only by name", () => {
    for (const address of ["127.0.0.1", "169.254.1.1"])
      expect(site(["0.0.0.0/0"]).allows(address)).toBe(false);
    expect(site(["::/0"]).allows("::1")).toBe(false);
    expect(site(["127.0.0.1/32"]).allows("127.0.0.1")).toBe(true);
    expect(site(["127.0.0.1/32"]).allows("127.0.0.2")).toBe(false);
    expect(site(["169.254.0.0/16"]).allows("169.254.3.4")).toBe(true);
    expect(site(["::1/128"]).allows("::1")).toBe(true);
  });

  test("never hold an IPv4 address in disguise, whatever is configured", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        for (const prefix of ["::ffff:", "::", "64:ff9b::"])
          expect(site(["::/0", "0.0.0.0/0"]).allows(prefix + address)).toBe(false);
      }),
    );
  });

  test("hold exactly the addresses that share the network's bits", () => {
    const octet = fc.nat(255);
    fc.assert(
      fc.property(
        fc.tuple(octet, octet, octet),
        fc.integer({ min: 8, max: 32 }),
        octet,
        (low, bits, last) => {
          const network = `10.${low[0]}.${low[1]}.${low[2]}/${bits}`;
          const value = (a: string): number => a.split(".").reduce((n, part) => n * 256 + Number(part), 0);
          const address = `10.${low[0]}.${low[1]}.${last}`;
          const size = 2 ** (32 - bits);
          const isIn =
            Math.floor(value(address) / size) === Math.floor(value(network.split("/")[0] ?? "") / size);
          expect(site([network]).allows(address)).toBe(isIn);
        },
      ),
    );
  });

  test("survive any text", () => {
    fc.assert(fc.property(fc.string(), (text) => void [site().allows(text), site().includes(text)]));
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(parseAddress(text)?.family).toBe(6);
      }),
    );
  });

  test("are refused as a whole when one of them is none", () => {
    for (const wrong of ["10.0.0.0", "10.0.0.0/33", "x/8", "::/129", "fe80::1%eth0/64", "010.0.0.0/8"])
      expect(SiteNetworks.parse(["10.0.0.0/8", wrong])).toBeNull();
  });

  test("include only networks that lie in them as a whole", () => {
    expect(site().includes("192.168.4.0/24")).toBe(true);
    for (const outside of ["192.0.0.0/8", "0.0.0.0/0", "8.8.8.0/24", "127.0.0.0/24"])
      expect(site().includes(outside)).toBe(false);
  });
});

test("addresses of networks are listed within a bound", () => {
  expect(addressesOf(["192.168.1.0/30"], 1024)).toEqual(["192.168.1.1", "192.168.1.2"]);
  expect(addressesOf(["192.168.1.7/32", "192.168.1.7/32"], 1024)).toEqual(["192.168.1.7"]);
  expect(addressesOf(["10.0.0.0/22"], 1024)).toHaveLength(1022);
  for (const tooLarge of [["10.0.0.0/21"], ["10.0.0.0/23", "10.1.0.0/22"], ["fe80::/64"]])
    expect(addressesOf(tooLarge, 1024)).toBeNull();
});

test("hosts that a resolver would read as a number are told from names", () => {
  for (const host of ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "1.2.3.4.", "a.0x7f"])
    expect(isNumericHost(host)).toBe(true);
  for (const host of ["camera", "cam-1.lan", "0x7f.lan"]) expect(isNumericHost(host)).toBe(false);
});
