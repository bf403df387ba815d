// The few calls of `onvif` 0.8.3 that we make, typed as what they really give: foreign data.
import type { Agent } from "node:http";
import { Cam } from "onvif";

/** Results come as untyped trees; `xml` is the raw answer (the library turns digits into numbers). */
type Callback = (error: Error | null, data?: unknown, xml?: string, statusCode?: number) => void;

/** The library's client, as far as it is used. All calls are asynchronous and may call back twice. */
export interface OnvifClient {
  /** XAddrs of the services as `getServices` found them. */
  uri?: Record<string, { path?: string } | undefined>;
  events: { subscription?: { subscriptionReference?: { address?: { agent?: Agent } } } };
  getSystemDateAndTime(callback: Callback): void;
  getDeviceInformation(callback: Callback): void;
  getServices(includeCapability: boolean, callback: Callback): void;
  getCapabilities(callback: Callback): void;
  getNetworkInterfaces(callback: Callback): void;
  getScopes(callback: Callback): void;
  getProfiles(callback: Callback): void;
  getStreamUri(options: { protocol: "RTSP"; profileToken: string }, callback: Callback): void;
  createPullPointSubscription(callback: Callback): void;
  pullMessages(options: { messageLimit: number }, callback: Callback): void;
  renew(options: object, callback: Callback): void;
  unsubscribe(callback: Callback): void;
  on(event: "error" | "warning", listener: () => void): void;
}

export interface OnvifClientOptions {
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly useSecure: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly useWSSecurity: boolean;
  readonly agent: Agent;
  /** Idle time of a request, milliseconds. */
  readonly timeout: number;
}

/**
 * A client that does not connect by itself: the library's `connect()` signs in several times with a wrong
 * password and then reports success. `preserveAddress` keeps every service on the host we were given.
 */
export function openClient(options: OnvifClientOptions): OnvifClient {
  const client = new Cam({
    ...options,
    autoconnect: false,
    preserveAddress: true,
    // Cameras sign their own certificates.
    secureOpts: { rejectUnauthorized: false, agent: options.agent },
  }) as unknown as OnvifClient;
  client.on("error", () => undefined);
  client.on("warning", () => undefined);
  return client;
}
