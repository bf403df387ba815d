// The few calls of `onvif` 0.8.3 that we make, typed as what they really give: foreign data.
import { randomUUID } from "node:crypto";
import { Cam } from "onvif";
import { parseSoap } from "./parse-soap.ts";
import type { SoapTransport } from "./soap-transport.ts";

/** Results come as untyped trees; `xml` is the raw answer (the library turns digits into numbers). */
export type Callback = (error: unknown, data?: unknown, xml?: string, statusCode?: number) => void;

/** The library's client, as far as it is used. All calls are asynchronous and may call back twice. */
export interface OnvifClient {
  /** XAddrs of the services as `getServices` found them. */
  uri?: Record<string, { path?: string } | undefined>;
  /** Whether the library asks Media2 (Profile T). */
  media2Support?: boolean;
  getSystemDateAndTime(callback: Callback): void;
  getDeviceInformation(callback: Callback): void;
  getServices(includeCapability: boolean, callback: Callback): void;
  getCapabilities(callback: Callback): void;
  getNetworkInterfaces(callback: Callback): void;
  getScopes(callback: Callback): void;
  getProfiles(callback: Callback): void;
  getStreamUri(options: { protocol: "RTSP"; profileToken: string }, callback: Callback): void;
  getSnapshotUri(options: { profileToken: string }, callback: Callback): void;
  createPullPointSubscription(callback: Callback): void;
  pullMessages(options: { messageLimit: number }, callback: Callback): void;
  renew(options: object, callback: Callback): void;
  unsubscribe(callback: Callback): void;
  on(event: "error" | "warning", listener: () => void): void;
  _envelopeHeader(): string;
  _envelopeFooter(): string;
  _request(options: { service: string; body: string }, callback: Callback): void;
}

/** Questions of a check that goes on for ever, and those before the sign-in: a few hundred bytes answer them. */
const SHORT_ANSWERS = /<(GetSystemDateAndTime|GetDeviceInformation|GetStreamUri|GetSnapshotUri|Renew)\b/;
const SHORT_ANSWER_BYTES = 32 * 1024;

/** What the library hands to its own HTTP half. */
interface LibraryRequest {
  readonly url?: { readonly path?: string };
  readonly service?: string;
  readonly body: string;
  readonly action?: string;
  readonly replyTimeout?: number;
}

export interface OnvifClientOptions {
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly username?: string;
  readonly password?: string;
  readonly useWSSecurity: boolean;
  readonly transport: SoapTransport;
  /** Whole time of a request, milliseconds; the library asks for more where it polls. */
  readonly timeout: number;
}

/**
 * A client that does not connect by itself: the library's `connect()` signs in several times with a wrong password and
 * then reports success. Its HTTP half is replaced by ours: that one buffers without a bound, parses whatever comes,
 * and looks up the host anew for each request. `preserveAddress` keeps every service on the host we were given.
 */
export function openClient({ transport, ...options }: OnvifClientOptions): OnvifClient {
  const client = new Cam({
    ...options,
    autoconnect: false,
    preserveAddress: true,
  }) as unknown as OnvifClient & {
    _requestPart2(request: LibraryRequest, callback: Callback): void;
  };
  client.on("error", () => undefined);
  client.on("warning", () => undefined);
  client._requestPart2 = (request, callback) => {
    const { url, service, body, action, replyTimeout = options.timeout } = request;
    const path = url?.path ?? (service === undefined ? undefined : (client.uri?.[service]?.path ?? service));
    const question = {
      path: path ?? options.path,
      body: addressed(body),
      action,
      deadlineMs: replyTimeout,
      ...(SHORT_ANSWERS.test(body) ? { maxBytes: SHORT_ANSWER_BYTES } : {}),
    };
    void answer(transport.ask(question), callback);
  };
  return client;
}

async function answer(
  question: Promise<{ readonly status: number; readonly xml: string }>,
  callback: Callback,
): Promise<void> {
  try {
    const { status, xml } = await question;
    const soap = await parseSoap(xml);
    callback(soap.error, soap.body, soap.xml, status);
  } catch (error) {
    callback(error);
  }
}

/**
 * A message to a subscription with the MessageID that WS-Addressing asks of requests (1.0 Core §3.4): the library leaves
 * it out, and onvif_simple_server then refuses Renew.
 */
function addressed(body: string): string {
  if (!body.includes("<a:To") || body.includes("<a:MessageID")) return body;
  return body.replace("<s:Header>", `<s:Header><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID>`);
}
