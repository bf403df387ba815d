import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_REPLY_BYTES, parseMatches } from "./probe-match.ts";

const ID = "urn:uuid:probe-1";
const from = { address: "10.0.0.7" };
const sent = new Set([ID]);

const match = (endpoint: string, xaddrs: string | null, scopes = ""): string =>
  `<d:ProbeMatch><a:EndpointReference><a:Address>${endpoint}</a:Address></a:EndpointReference>` +
  `<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>${scopes}</d:Scopes>` +
  `${xaddrs === null ? "" : `<d:XAddrs>${xaddrs}</d:XAddrs>`}<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>`;
const reply = (matches: string, relatesTo = ID): Buffer =>
  Buffer.from(
    `<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Header><a:RelatesTo s:role="y">${relatesTo}</a:RelatesTo></s:Header>` +
      `<s:Body><d:ProbeMatches>${matches}</d:ProbeMatches></s:Body></s:Envelope>`,
  );
const parse = (bytes: Uint8Array) => parseMatches(bytes, from, sent);
const GOOD = "http://10.0.0.7/onvif/device_service";

describe("ProbeMatches", () => {
  test("gives endpoint, address, name and hardware", () => {
    const scopes = "onvif://www.onvif.org/name/North%20gate onvif://www.onvif.org/hardware/M1";
    expect(parse(reply(match("urn:uuid:c1", GOOD, scopes)))).toEqual([
      { endpoint: "urn:uuid:c1", onvifUrl: GOOD, name: "North gate", hardware: "M1" },
    ]);
  });

  test("reads several matches of one reply, those without an address too", () => {
    const devices = parse(reply(match("urn:a", GOOD) + match("urn:b", null) + match("urn:c", `${GOOD}?c`)));
    expect(devices.map(({ endpoint }) => endpoint)).toEqual(["urn:a", "urn:b", "urn:c"]);
    expect(devices[1]?.onvifUrl).toBeNull();
  });

  test("ignores replies to nobody's or somebody else's probe", () => {
    expect(parse(reply(match("urn:a", GOOD), "urn:uuid:other"))).toEqual([]);
    expect(parse(Buffer.from(match("urn:a", GOOD)))).toEqual([]);
  });

  test.each([
    "http://10.0.0.8/onvif/device_service",
    "http://127.0.0.1/onvif/device_service",
    "http://169.254.169.254/latest",
    "http://localhost/onvif",
    "http://user:pw@10.0.0.7/onvif",
    "file:///etc/passwd",
    "http://[::1]/onvif",
    "",
    "not a url",
  ])("does not take the address %j from 10.0.0.7", (xaddrs) => {
    expect(parse(reply(match("urn:a", xaddrs)))[0]?.onvifUrl).toBeNull();
  });

  test("takes the responder's own address among several", () => {
    expect(parse(reply(match("urn:a", `http://[fe80::1]/onvif ${GOOD}`)))[0]?.onvifUrl).toBe(GOOD);
  });

  test("refuses document types and oversized replies", () => {
    const good = reply(match("urn:a", GOOD)).toString();
    expect(parse(Buffer.from(`<!DOCTYPE x [<!ENTITY a "b">]>${good}`))).toEqual([]);
    expect(parse(Buffer.from(good + " ".repeat(MAX_REPLY_BYTES)))).toEqual([]);
  });

  test("takes IPv6 addresses in any notation, with the zone that the system adds", () => {
    const url = "http://[FE80:0::0:1]:8080/onvif/device_service";
    const [device] = parseMatches(reply(match("urn:a", url)), { address: "fe80::1%eth0" }, sent);
    expect(device?.onvifUrl).toBe("http://[fe80::1]:8080/onvif/device_service");
  });

  test("a routed IPv6 address is asked at the link-local one that answered", () => {
    const from = { address: "fe80::7%eth0" };
    const ask = (xaddrs: string) => parseMatches(reply(match("urn:a", xaddrs)), from, sent)[0]?.onvifUrl;
    expect(ask("http://10.0.0.7/x http://[fd00::7]:81/onvif/d")).toBe("http://[fe80::7]:81/onvif/d");
    expect(ask("http://[fd00::7]:81/a http://[fe80::7]:82/b")).toBe("http://[fe80::7]:82/b");
    expect(ask("http://10.0.0.7/onvif http://u:p@[fd00::7]/x file://[fd00::7]/y")).toBeNull();
    expect(
      parseMatches(reply(match("urn:a", "http://[fd00::7]/x")), { address: "fd00::8" }, sent)[0]?.onvifUrl,
    ).toBe(null);
  });

  test("survives garbage", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => void parse(bytes)));
  });

  test("survives damage anywhere in a good reply", () => {
    const good = reply(match("urn:a", GOOD, "onvif://www.onvif.org/name/%E4%") + match("urn:b", GOOD));
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.nat(good.length),
        fc.uint8Array({ maxLength: 20 }),
        (at, cut, noise) => {
          const damaged = Buffer.concat([good.subarray(0, at), noise, good.subarray(at + noise.length)]);
          for (const device of [...parse(damaged), ...parse(good.subarray(0, cut))]) {
            if (device.onvifUrl !== null) expect(new URL(device.onvifUrl).hostname).toBe("10.0.0.7");
          }
        },
      ),
    );
  });

  test("looks at a bounded number of addresses and matches", () => {
    const far = `${"http://a ".repeat(15)}${GOOD}`;
    expect(parse(reply(match("urn:a", far)))[0]?.onvifUrl).toBe(GOOD);
    expect(parse(reply(match("urn:a", `http://a ${far}`)))[0]?.onvifUrl).toBeNull();
    expect(parse(reply(match("urn:a", GOOD).repeat(200)))).toHaveLength(16);
  });

  test("takes linear time on hostile nesting", () => {
    const bomb = Buffer.from(`<RelatesTo>${ID}</RelatesTo>${"<ProbeMatch>".repeat(5_000)}`);
    expect(parse(bomb)).toEqual([]);
  });
});
