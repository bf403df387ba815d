/** SOAP 1.2 envelopes, faults and WS-Security username tokens as ONVIF uses them (ONVIF Core 2.0 §5.9-5.12). Pure. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Credentials } from "../http/digest-auth.ts";
import { type XmlElement, child, childText, escapeXml, parseXml, XmlError } from "./xml.ts";

export const NAMESPACES = {
  envelope: "http://www.w3.org/2003/05/soap-envelope",
  addressing: "http://www.w3.org/2005/08/addressing",
  device: "http://www.onvif.org/ver10/device/wsdl",
  media: "http://www.onvif.org/ver10/media/wsdl",
  media2: "http://www.onvif.org/ver20/media/wsdl",
  events: "http://www.onvif.org/ver10/events/wsdl",
  ptz: "http://www.onvif.org/ver20/ptz/wsdl",
  schema: "http://www.onvif.org/ver10/schema",
  notification: "http://docs.oasis-open.org/wsn/b-2",
  topics: "http://www.onvif.org/ver10/topics",
} as const;

const PREFIXES: Readonly<Record<keyof typeof NAMESPACES, string>> = {
  envelope: "env",
  addressing: "wsa",
  device: "tds",
  media: "trt",
  media2: "tr2",
  events: "tev",
  ptz: "tptz",
  schema: "tt",
  notification: "wsnt",
  topics: "tns1",
};

const DECLARATIONS = Object.entries(NAMESPACES)
  .map(([key, uri]) => `xmlns:${PREFIXES[key as keyof typeof NAMESPACES]}="${uri}"`)
  .join(" ");

export interface SoapRequest {
  readonly header: XmlElement | undefined;
  /** The operation: first element of the body. */
  readonly operation: XmlElement;
  readonly messageId: string | undefined;
}

/** @throws XmlError */
export function parseSoap(xml: string): SoapRequest {
  const root = parseXml(xml);
  const header = child(root, "Header");
  const operation = child(root, "Body")?.children[0];
  if (root.name !== "Envelope" || !operation) throw new XmlError("it is not a SOAP request");
  return { header, operation, messageId: childText(header, "MessageID") };
}

export function soapEnvelope(body: string, header = ""): string {
  return `<?xml version="1.0" encoding="UTF-8"?><env:Envelope ${DECLARATIONS}><env:Header>${header}</env:Header><env:Body>${body}</env:Body></env:Envelope>`;
}

/** A fault that the client caused, with the ONVIF subcodes of Core §5.11.2. */
export class SoapFault extends Error {
  readonly subcodes: readonly string[];
  readonly status: number;

  constructor(reason: string, subcodes: readonly string[], status = 400) {
    super(reason);
    this.subcodes = subcodes;
    this.status = status;
  }
}

export const notAuthorized = (): SoapFault =>
  new SoapFault("Sender not authorized", ["ter:NotAuthorized"], 400);
export const notSupported = (): SoapFault =>
  new SoapFault("Action not supported", ["ter:ActionNotSupported"], 400);
export const noProfile = (): SoapFault =>
  new SoapFault("No such profile", ["ter:InvalidArgVal", "ter:NoProfile"], 400);

export function faultEnvelope(fault: SoapFault): string {
  const subcode = fault.subcodes.reduceRight(
    (inner, value) => `<env:Subcode><env:Value>${value}</env:Value>${inner}</env:Subcode>`,
    "",
  );
  return soapEnvelope(
    `<env:Fault xmlns:ter="http://www.onvif.org/ver10/error"><env:Code><env:Value>env:Sender</env:Value>${subcode}</env:Code>` +
      `<env:Reason><env:Text xml:lang="en">${escapeXml(fault.message)}</env:Text></env:Reason></env:Fault>`,
  );
}

/** A token older or newer than this is refused as a replay (WS-Security UsernameToken Profile 1.0 §3.1). */
const TOKEN_LIFETIME_MS = 5 * 60_000;

export type TokenResult = "accepted" | "missing" | "wrong";

/** Judges a WS-UsernameToken with PasswordDigest = Base64(SHA-1(nonce + created + password)). */
export function checkUsernameToken(
  header: XmlElement | undefined,
  credentials: Credentials,
  nowMs: number,
): TokenResult {
  const token = child(header, "Security", "UsernameToken");
  if (!token) return "missing";
  const password = child(token, "Password");
  const created = childText(token, "Created") ?? "";
  const nonce = Buffer.from(childText(token, "Nonce") ?? "", "base64");
  const createdMs = Date.parse(created);
  if (
    !password?.attributes.get("Type")?.endsWith("#PasswordDigest") ||
    !(Math.abs(nowMs - createdMs) < TOKEN_LIFETIME_MS)
  )
    return "wrong";
  const expected = createHash("sha1").update(nonce).update(created).update(credentials.password).digest();
  const sent = Buffer.from(password.text.trim(), "base64");
  const isRight = sent.length === expected.length && timingSafeEqual(sent, expected);
  return isRight && childText(token, "Username") === credentials.username ? "accepted" : "wrong";
}

/** ISO 8601 without fractions, as devices write it. */
export function soapTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Reads `PT1M30S` or an absolute time; undefined when it is neither. Milliseconds from now. */
export function parseDurationMs(text: string | undefined, nowMs: number): number | undefined {
  if (!text) return undefined;
  const match = /^P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?)?$/.exec(
    text,
  );
  if (match && text.length > 2) {
    const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
      number,
      number,
      number,
      number,
    ];
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
