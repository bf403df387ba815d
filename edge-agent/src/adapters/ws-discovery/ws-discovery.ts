import type { RemoteInfo } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { Discovery, FoundDevice, Log } from "../../application/ports.ts";
import { type Match, parseMatches } from "./probe-match.ts";
import { type ProbeInterface, probeOn } from "./probe-socket.ts";

const PORT = 3702;
const LISTEN_MS = 3_000;
const MAX_DEVICES = 1_000;
/** Datagrams that are looked at in one round and interface: more is a flood. */
const MAX_REPLIES = 4_000;
const MAX_INTERFACES = 32;
/** ONVIF Core §5.1.1: where a device service is when nobody says otherwise. */
const WELL_KNOWN_PATH = "/onvif/device_service";

export interface WsDiscoveryOptions {
  /** IPv4 address of the one interface to probe on; 127.0.0.1 for the loopback interface. Default: all others. */
  readonly interfaceAddress?: string | undefined;
  /** The interfaces to probe on; for tests. */
  readonly interfaces?: readonly ProbeInterface[];
  readonly port?: number | undefined;
  readonly listenMs?: number;
  readonly log?: Log;
  /** Told the address, with its zone, of whoever answered soundly. */
  readonly onHeard?: (address: string) => void;
}

/** Finds ONVIF devices by WS-Discovery over UDP multicast, IPv4 and IPv6, on every interface (ONVIF Core §7). */
export class WsDiscovery implements Discovery {
  readonly #options: WsDiscoveryOptions;
  readonly #failing = new Set<string>();

  constructor(options: WsDiscoveryOptions = {}) {
    this.#options = options;
  }

  /** @throws Error when no interface at all could be probed */
  async probe(signal: AbortSignal): Promise<FoundDevice[]> {
    signal.throwIfAborted();
    const { port = PORT, listenMs = LISTEN_MS } = this.#options;
    const sightings = new Sightings();
    const messageIds = new Set<string>();
    const interfaces = this.#interfaces();
    const rounds = await Promise.allSettled(
      interfaces.map((on) => {
        let replies = 0;
        return probeOn({
          on,
          port,
          listenMs,
          messageIds,
          signal,
          onReply: (reply, from, resolve) => {
            replies += 1;
            if (replies > MAX_REPLIES) return;
            const matches = parseMatches(reply, from, messageIds);
            if (matches.length > 0) this.#options.onHeard?.(from.address);
            for (const match of matches) sightings.add(match, from, resolve);
          },
        });
      }),
    );
    signal.throwIfAborted();
    this.#tellFailures(interfaces, rounds);
    const failure = rounds.find((round) => round.status === "rejected");
    if (failure && rounds.every((round) => round.status === "rejected")) throw failure.reason as Error;
    return sightings.devices();
  }

  #interfaces(): readonly ProbeInterface[] {
    const { interfaces, interfaceAddress } = this.#options;
    if (interfaces) return interfaces;
    if (interfaceAddress) return [{ family: 4, zone: "", address: interfaceAddress }];
    const found = siteInterfaces();
    return found.length > 0 ? found : [{ family: 4, zone: "", address: "0.0.0.0" }];
  }

  /** An interface that cannot be probed is told once, until it works again. */
  #tellFailures(interfaces: readonly ProbeInterface[], rounds: readonly PromiseSettledResult<void>[]): void {
    for (const [i, round] of rounds.entries()) {
      const { zone, address, family } = interfaces[i] as ProbeInterface;
      const key = `${family} ${zone} ${address}`;
      if (round.status === "fulfilled") this.#failing.delete(key);
      else if (!this.#failing.has(key)) {
        this.#failing.add(key);
        this.#options.log?.warn(
          { interface: zone || address, family, err: round.reason as unknown },
          "interface cannot be probed",
        );
      }
    }
  }
}

/** Every interface's first IPv4 and IPv6 address, the loopback interface left out. */
function siteInterfaces(): ProbeInterface[] {
  return Object.entries(networkInterfaces())
    .flatMap(([zone, addresses = []]) =>
      (["IPv4", "IPv6"] as const).flatMap((family): ProbeInterface[] => {
        const own = addresses.find((entry) => entry.family === family && !entry.internal);
        return own ? [{ family: family === "IPv4" ? 4 : 6, zone, address: own.address }] : [];
      }),
    )
    .slice(0, MAX_INTERFACES);
}

/** What was seen in one round: each device once, with the best address that it told. */
class Sightings {
  readonly #byEndpoint = new Map<string, FoundDevice>();

  add(match: Match, from: RemoteInfo, resolve: (endpoint: string) => void): void {
    const known = this.#byEndpoint.get(match.endpoint);
    if (!known && this.#byEndpoint.size >= MAX_DEVICES) return;
    if (match.onvifUrl !== null) {
      // A device with both is spoken to over IPv4: its IPv6 address may be a link's alone.
      if (!known || known.isGuess || isIpv6(known.onvifUrl))
        this.#byEndpoint.set(match.endpoint, { ...match, onvifUrl: match.onvifUrl });
      return;
    }
    if (known) return;
    this.#byEndpoint.set(match.endpoint, { ...match, onvifUrl: wellKnown(from), isGuess: true });
    resolve(match.endpoint);
  }

  devices(): FoundDevice[] {
    return [...this.#byEndpoint.values()];
  }
}

function wellKnown({ address }: RemoteInfo): string {
  const plain = address.replace(/%.*$/, "");
  return `http://${plain.includes(":") ? `[${plain}]` : plain}${WELL_KNOWN_PATH}`;
}

function isIpv6(url: string): boolean {
  return new URL(url).hostname.startsWith("[");
}
