import type { FoundDevice } from "../../application/ports.ts";

/** Larger replies are nobody's: a UDP datagram of an honest device has one or a few matches. */
export const MAX_REPLY_BYTES = 64 * 1024;
const MAX_MATCHES = 16;

/**
 * Reads a ProbeMatches message (WS-Discovery §5.3). It comes from anybody on the network: anything unexpected
 * gives an empty list, never an error. Only addresses on the host that answered count, so that a reply cannot
 * send us elsewhere (server-side request forgery).
 *
 * Read with patterns, not with an XML parser: the grammar that matters is four elements without nesting of
 * their own kind, a document type declaration is refused, and nothing is expanded.
 */
export function parseProbeMatches(
  reply: Uint8Array,
  from: { readonly address: string },
  sentMessageIds: ReadonlySet<string>,
): FoundDevice[] {
  if (reply.byteLength > MAX_REPLY_BYTES) return [];
  const xml = Buffer.from(reply.buffer, reply.byteOffset, reply.byteLength).toString("utf8");
  if (/<!DOCTYPE|<!ENTITY/i.test(xml)) return [];
  const relatesTo = elementText(xml, "RelatesTo");
  if (relatesTo === null || !sentMessageIds.has(relatesTo)) return [];
  return elements(xml, "ProbeMatch")
    .slice(0, MAX_MATCHES)
    .flatMap((match) => readMatch(match, from.address) ?? []);
}

function readMatch(xml: string, responder: string): FoundDevice | null {
  const endpoint = elementText(elements(xml, "EndpointReference")[0] ?? "", "Address");
  const onvifUrl = (elementText(xml, "XAddrs") ?? "")
    .split(/\s+/)
    .find((address) => isDeviceServiceOf(address, responder));
  if (!onvifUrl) return null;
  const scopes = (elementText(xml, "Scopes") ?? "").split(/\s+/);
  return {
    endpoint: endpoint?.slice(0, 200) || new URL(onvifUrl).host,
    onvifUrl: new URL(onvifUrl).href,
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
  return url.hostname.replace(/^\[|\]$/g, "") === responder.replace(/%.*$/, "");
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

/** Contents of all elements of that local name, whatever their prefix. */
function elements(xml: string, localName: string): string[] {
  const open = new RegExp(`<(?:[\\w.-]+:)?${localName}(?:\\s[^<>]*)?>`, "g");
  const close = new RegExp(`</(?:[\\w.-]+:)?${localName}\\s*>`, "g");
  const found: string[] = [];
  for (let start = open.exec(xml); start; start = open.exec(xml)) {
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
  const content = elements(xml, localName)[0];
  if (content === undefined || content.includes("<")) return null;
  return content
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&")
    .trim();
}
