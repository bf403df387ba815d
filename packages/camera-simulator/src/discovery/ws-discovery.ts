/** WS-Discovery messages of an ONVIF device (WS-Discovery April 2005, ONVIF Core 2.0 §7). Pure. */
import { XmlError, child, childText, escapeXml, parseXml } from "../onvif/xml.ts";

export const DISCOVERY_GROUP = "239.255.255.250";
/** Link-local scope (WS-Discovery §2.4). */
export const DISCOVERY_GROUP_V6 = "ff02::c";
export const DISCOVERY_PORT = 3702;
const MAX_DATAGRAM_BYTES = 32 * 1024;

const DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery";
const ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing";
const ANONYMOUS = `${ADDRESSING}/role/anonymous`;
const TYPES = ["NetworkVideoTransmitter", "Device"];

/** What one camera says of itself. */
export interface DiscoverableDevice {
  readonly endpointAddress: string;
  readonly scopes: readonly string[];
  readonly xaddr: string;
}

export type DiscoveryRequest =
  | {
      readonly kind: "probe";
      readonly messageId: string;
      readonly types: readonly string[];
      readonly scopes: readonly string[];
    }
  | { readonly kind: "resolve"; readonly messageId: string; readonly endpointAddress: string };

function wordsOf(text: string | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

/** Reads a datagram; undefined for everything that is not a sound Probe or Resolve. */
export function parseDiscoveryRequest(datagram: Uint8Array): DiscoveryRequest | undefined {
  if (datagram.length > MAX_DATAGRAM_BYTES) return undefined;
  try {
    const root = parseXml(Buffer.from(datagram).toString("utf8"));
    const messageId = childText(root, "Header", "MessageID");
    const body = child(root, "Body");
    if (!messageId || messageId.length > 500) return undefined;
    const probe = child(body, "Probe");
    if (probe?.namespace === DISCOVERY) {
      return {
        kind: "probe",
        messageId,
        types: wordsOf(childText(probe, "Types")),
        scopes: wordsOf(childText(probe, "Scopes")),
      };
    }
    const resolve = child(body, "Resolve");
    const endpointAddress = childText(resolve, "EndpointReference", "Address");
    if (resolve?.namespace === DISCOVERY && endpointAddress)
      return { kind: "resolve", messageId, endpointAddress };
    return undefined;
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

/** Does the device answer? All types and all scopes must match (WS-Discovery §5.1); scopes by segments (RFC 3986). */
export function isMatch(device: DiscoverableDevice, request: DiscoveryRequest): boolean {
  if (request.kind === "resolve") return request.endpointAddress === device.endpointAddress;
  const hasTypes = request.types.every((type) => TYPES.includes(type.slice(type.indexOf(":") + 1)));
  const hasScopes = request.scopes.every((wanted) => {
    const prefix = wanted.replace(/\/$/, "").toLowerCase();
    return device.scopes.some(
      (scope) => scope.toLowerCase() === prefix || scope.toLowerCase().startsWith(`${prefix}/`),
    );
  });
  return hasTypes && hasScopes;
}

function envelope(header: string, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="${ADDRESSING}" xmlns:d="${DISCOVERY}"` +
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">' +
    `<s:Header>${header}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

function description(device: DiscoverableDevice): string {
  return (
    `<a:EndpointReference><a:Address>${escapeXml(device.endpointAddress)}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>` +
    `<d:Scopes>${escapeXml(device.scopes.join(" "))}</d:Scopes><d:XAddrs>${escapeXml(device.xaddr)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>`
  );
}

export interface MessageIdentity {
  /** `urn:uuid:...`, new for each message. */
  readonly messageId: string;
  /** When the responder started, in seconds: InstanceId of AppSequence (§4.3.1). */
  readonly instanceId: number;
  readonly messageNumber: number;
}

function headerOf(action: string, to: string, identity: MessageIdentity, relatesTo?: string): string {
  return (
    `<a:MessageID>${identity.messageId}</a:MessageID>${relatesTo === undefined ? "" : `<a:RelatesTo>${escapeXml(relatesTo)}</a:RelatesTo>`}<a:To>${to}</a:To>` +
    `<a:Action>${DISCOVERY}/${action}</a:Action><d:AppSequence InstanceId="${identity.instanceId}" MessageNumber="${identity.messageNumber}"/>`
  );
}

/** One device's answer: ProbeMatches or ResolveMatches with a single match, as clients expect from a device. */
export function buildMatch(
  device: DiscoverableDevice,
  request: DiscoveryRequest,
  identity: MessageIdentity,
): string {
  const kind = request.kind === "probe" ? "Probe" : "Resolve";
  const body = `<d:${kind}Matches><d:${kind}Match>${description(device)}</d:${kind}Match></d:${kind}Matches>`;
  return envelope(headerOf(`${kind}Matches`, ANONYMOUS, identity, request.messageId), body);
}

const TO_ALL = "urn:schemas-xmlsoap-org:ws:2005:04:discovery";

export function buildHello(device: DiscoverableDevice, identity: MessageIdentity): string {
  return envelope(headerOf("Hello", TO_ALL, identity), `<d:Hello>${description(device)}</d:Hello>`);
}

export function buildBye(device: DiscoverableDevice, identity: MessageIdentity): string {
  return envelope(
    headerOf("Bye", TO_ALL, identity),
    `<d:Bye><a:EndpointReference><a:Address>${escapeXml(device.endpointAddress)}</a:Address></a:EndpointReference></d:Bye>`,
  );
}
