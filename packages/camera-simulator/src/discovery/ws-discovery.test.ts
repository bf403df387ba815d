import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { child, childText, parseXml } from "../onvif/xml.ts";
import { type DiscoveryRequest, buildMatch, isMatch, parseDiscoveryRequest } from "./ws-discovery.ts";

const device = {
  endpointAddress: "urn:uuid:1",
  scopes: ["onvif://www.onvif.org/type/ptz", "onvif://www.onvif.org/name/Gate%20%3C1%3E"],
  xaddr: "http://127.0.0.1:80/onvif/device_service",
};

function probe(types = "dn:NetworkVideoTransmitter", scopes = ""): Buffer {
  return Buffer.from(
    `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:MessageID>uuid:7 &amp; 8</a:MessageID></s:Header>` +
      `<s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">${types}</d:Types><d:Scopes>${scopes}</d:Scopes></d:Probe></s:Body></s:Envelope>`,
  );
}

describe("WS-Discovery", () => {
  it("answers a probe with the request's id and the device's address", () => {
    const request = parseDiscoveryRequest(probe()) as DiscoveryRequest;
    const answer = parseXml(
      buildMatch(device, request, { messageId: "urn:uuid:2", instanceId: 1, messageNumber: 1 }),
    );
    expect(childText(answer, "Header", "RelatesTo")).toBe("uuid:7 & 8");
    const match = child(answer, "Body", "ProbeMatches", "ProbeMatch");
    expect(childText(match, "XAddrs")).toBe(device.xaddr);
    expect(childText(match, "Scopes")?.split(" ")).toEqual(device.scopes);
  });

  it("matches types by name and scopes by whole segments", () => {
    const matches = (types: string, scopes: string): boolean =>
      isMatch(device, parseDiscoveryRequest(probe(types, scopes)) as DiscoveryRequest);
    expect(matches("", "")).toBe(true);
    expect(matches("x:Device", "onvif://www.onvif.org")).toBe(true);
    expect(matches("", "onvif://www.onvif.org/type/")).toBe(true);
    expect(matches("", "onvif://www.onvif.org/type/pt")).toBe(false);
    expect(matches("dn:Printer", "")).toBe(false);
  });

  it("ignores garbage without failing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
        expect(parseDiscoveryRequest(bytes)).toBeUndefined();
      }),
    );
    expect(parseDiscoveryRequest(Buffer.alloc(40_000, "<a>"))).toBeUndefined();
  });
});
