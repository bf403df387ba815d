import { isLinkLocal } from "../network-guard/link-zones.ts";

/** Larger replies are nobody's: a UDP datagram of an honest device has one or a few matches. */
export const MAX_REPLY_BYTES = 64 * 1024;
const MAX_MATCHES = 16;
const MAX_ENDPOINT = 200;
/** A device tells one address a family and interface, and a handful of scopes. */
const MAX_ADDRESSES = 16;
const MAX_SCOPES = 200;

/** What a match says; without `onvifUrl` the device named no address of its own. */
export interface Match {
  readonly endpoint: string;
  readonly onvifUrl: string | null;
  readonly name: string | null;
  readonly hardware: string | null;
}

/**
 * Reads a ProbeMatches or ResolveMatches message (WS-Discovery §5.3, §6.3). It comes from anybody on the network:
 * anything unexpected gives an empty list, never an error. Only addresses on the host that answered count, so that a
 * reply cannot send us elsewhere (server-side request forgery).
 *
 * Read with patterns, not with an XML parser: the grammar that matters is four elements without nesting of
 * their own kind, a document type declaration is refused, and nothing is expanded.
 */
export function parseMatches(
  reply: Uint8Array,
  from: { readonly address: string },
  sentMessageIds: ReadonlySet<string>,
): Match[] {
  const xml = soundXml(reply);
  if (xml === null) return [];
  const relatesTo = elementText(xml, "RelatesTo");
  if (relatesTo === null || !sentMessageIds.has(relatesTo)) return [];
  return [...elements(xml, "ProbeMatch", MAX_MATCHES), ...elements(xml, "ResolveMatch", MAX_MATCHES)]
    .slice(0, MAX_MATCHES)
    .flatMap((match) => readMatch(match, from.address) ?? []);
}

function soundXml(bytes: Uint8Array): string | null {
  if (bytes.byteLength > MAX_REPLY_BYTES) return null;
  const xml = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return /<!DOCTYPE|<!ENTITY/i.test(xml) ? null : xml;
}

function readMatch(xml: string, responder: string): Match | null {
  const endpoint = elementText(elements(xml, "EndpointReference", 1)[0] ?? "", "Address");
  const addresses = (elementText(xml, "XAddrs") ?? "").split(/\s+/, MAX_ADDRESSES);
  const onvifUrl =
    addresses.find((address) => isDeviceServiceOf(address, responder)) ?? onLinkOf(responder, addresses);
  if (!endpoint && !onvifUrl) return null;
  const scopes = (elementText(xml, "Scopes") ?? "").split(/\s+/, MAX_SCOPES);
  return {
    endpoint: endpoint?.slice(0, MAX_ENDPOINT) || new URL(onvifUrl as string).host,
    onvifUrl: onvifUrl ? new URL(onvifUrl).href : null,
    name: scopeValue(scopes, "name"),
    hardware: scopeValue(scopes, "hardware"),
  };
}

/** Is this an HTTP address on the very host that answered? No names, no credentials, no other notations. */
function isDeviceServiceOf(text: string, responder: string): boolean {
  if (text.length > 512 || !URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  if (url.username !== "" || url.password !== "") return false;
  return sameHost(url.hostname, responder);
}

/**
 * A device that is asked over IPv6 multicast answers from its link-local address, and may name only a routed one: its
 * service is asked at the address that answered, at the path and port that it named.
 */
function onLinkOf(responder: string, addresses: readonly string[]): string | undefined {
  const plain = responder.replace(/%.*$/, "");
  if (!isLinkLocal(plain)) return undefined;
  const named = addresses.find((text) => {
    if (text.length > 512 || !URL.canParse(text)) return false;
    const { protocol, hostname, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && hostname.startsWith("[") && username === "" && password === "";
  });
  if (named === undefined) return undefined;
  const url = new URL(named);
  url.hostname = `[${plain}]`;
  return url.href;
}

/** IPv6 has many notations of one address: both are compared as a URL writes them. */
function sameHost(hostname: string, responder: string): boolean {
  const plain = responder.replace(/%.*$/, "");
  if (!plain.includes(":")) return hostname === plain;
  return URL.canParse(`http://[${plain}]/`) && hostname === new URL(`http://[${plain}]/`).hostname;
}

/** ONVIF Core §7.3.2.2: `onvif://www.onvif.org/name/Some%20Name`. */
function scopeValue(scopes: readonly string[], kind: string): string | null {
  const prefix = `onvif://www.onvif.org/${kind}/`;
  const scope = scopes.find((s) => s.toLowerCase().startsWith(prefix));
  if (scope === undefined) return null;
  const raw = scope.slice(prefix.length);
  try {
    return decodeURIComponent(raw).slice(0, 120) || null;
  } catch {
    return raw.slice(0, 120);
  }
}

/** Contents of the first elements of that local name, whatever their prefix. */
function elements(xml: string, localName: string, most: number): string[] {
  const open = new RegExp(`<(?:[\\w.-]+:)?${localName}(?:\\s[^<>]*)?>`, "g");
  const close = new RegExp(`</(?:[\\w.-]+:)?${localName}\\s*>`, "g");
  const found: string[] = [];
  for (let start = open.exec(xml); start && found.length < most; start = open.exec(xml)) {
    if (start[0].endsWith("/>")) continue;
    close.lastIndex = open.lastIndex;
    const end = close.exec(xml);
    if (!end) break;
    found.push(xml.slice(open.lastIndex, end.index));
    open.lastIndex = close.lastIndex;
  }
  return found;
}

function elementText(xml: string, localName: string): string | null {
  const content = elements(xml, localName, 1)[0];
  if (content === undefined || content.includes("<")) return null;
  return content
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&")
    .trim();
}
