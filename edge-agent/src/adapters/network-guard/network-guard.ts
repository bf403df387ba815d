// The one gate for addresses that devices or the centre named: resolve once, check, connect to what was checked.
import { lookup as dnsLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { EdgeError } from "../../domain/faults.ts";
import type { LinkZones } from "./link-zones.ts";
import { isNumericHost, parseAddress, SiteNetworks } from "../../domain/site-networks.ts";

const RESOLVE_DEADLINE_MS = 5_000;

/** A host and the one address that it was found to stand for. */
export interface ResolvedAddress {
  readonly host: string;
  readonly address: string;
  readonly family: 4 | 6;
}

export type Resolve = (host: string) => Promise<readonly { address: string; family: number }[]>;
const systemResolve: Resolve = (host) => dnsLookup(host, { all: true, verbatim: true });

/** Says whom the agent may speak to. Hosts that a person typed into the local file are spoken to as typed. */
export class NetworkGuard {
  #networks: SiteNetworks;
  readonly #typedHosts: ReadonlySet<string>;
  readonly #resolve: Resolve;
  readonly #zones: Pick<LinkZones, "complete"> | undefined;

  constructor(
    options: {
      networks?: readonly string[];
      typedHosts?: Iterable<string>;
      resolve?: Resolve;
      /** Gives link-local addresses their interface. */
      zones?: Pick<LinkZones, "complete">;
    } = {},
  ) {
    this.#zones = options.zones;
    this.#networks = parsed(options.networks);
    this.#typedHosts = new Set([...(options.typedHosts ?? [])].map(plainHost));
    this.#resolve = options.resolve ?? systemResolve;
  }

  /** @throws EdgeError CONFIG_INVALID; the former networks stay */
  setNetworks(networks: readonly string[] | undefined): void {
    this.#networks = parsed(networks);
  }

  /** Does a network lie inside the site as a whole? */
  includes(network: string): boolean {
    return this.#networks.includes(network);
  }

  /**
   * Resolves a host once. Connect to the address that it gives (`pinnedLookup`), never to the name again: a name may
   * stand for another address a moment later (DNS rebinding). Every address of a name must be the site's.
   *
   * @param host name or address, IPv6 with or without brackets
   * @throws EdgeError ADDRESS_OUTSIDE_SITE, CAMERA_UNREACHABLE (the name is not known)
   */
  async assertReachable(host: string, signal?: AbortSignal): Promise<ResolvedAddress> {
    signal?.throwIfAborted();
    const plain = plainHost(host);
    const isTyped = this.#typedHosts.has(plain);
    const literal = parseAddress(plain);
    if (literal) {
      if (!isTyped && !this.#networks.allows(plain)) throw outside(plain);
      return { host: plain, address: this.#zones?.complete(plain) ?? plain, family: literal.family };
    }
    if (plain === "" || plain.length > 253 || isNumericHost(plain)) throw outside(plain);
    const found = await this.#lookUp(plain, signal);
    if (!isTyped && !found.every(({ address }) => this.#networks.allows(address))) throw outside(plain);
    const first = found[0];
    if (!first) throw unknown(plain);
    return { host: plain, address: first.address, family: first.family === 6 ? 6 : 4 };
  }

  /** For adapters that take an address (`ResolveHost` of the sensors). */
  readonly resolveHost = async (host: string, signal: AbortSignal): Promise<string> =>
    (await this.assertReachable(host, signal)).address;

  async #lookUp(host: string, signal?: AbortSignal): ReturnType<Resolve> {
    const deadline = AbortSignal.timeout(RESOLVE_DEADLINE_MS);
    const ends = signal ? AbortSignal.any([signal, deadline]) : deadline;
    let onEnd: (() => void) | undefined;
    try {
      return await Promise.race([
        this.#resolve(host),
        new Promise<never>((_, reject) => {
          onEnd = () => reject(ends.reason as Error);
          ends.addEventListener("abort", onEnd, { once: true });
        }),
      ]);
    } catch (cause) {
      signal?.throwIfAborted();
      throw unknown(host, cause);
    } finally {
      if (onEnd) ends.removeEventListener("abort", onEnd);
    }
  }
}

/** A `lookup` for `net.connect`, `http.request` and the like that gives the checked address, whatever it is asked. */
export function pinnedLookup({ address, family }: ResolvedAddress): LookupFunction {
  return (_host, options, callback) => {
    if (options.all) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

function plainHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
}

function parsed(networks: readonly string[] | undefined): SiteNetworks {
  const site = SiteNetworks.parse(networks);
  if (!site) throw new EdgeError("CONFIG_INVALID", "/site/networks holds what is no network");
  return site;
}

function outside(host: string): EdgeError {
  return new EdgeError("ADDRESS_OUTSIDE_SITE", `the address ${host.slice(0, 100)} is not one of this site`);
}

function unknown(host: string, cause?: unknown): EdgeError {
  return new EdgeError("CAMERA_UNREACHABLE", `the name ${host} cannot be resolved`, { cause });
}
