import { networkInterfaces } from "node:os";

const MAX_ADDRESSES = 4_096;
/** fe80::/10 (RFC 4291 §2.5.6). */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i;

export function isLinkLocal(address: string): boolean {
  return LINK_LOCAL.test(address);
}

/**
 * On which interface a link-local IPv6 address lies (its zone, RFC 4007 §11): the address alone reaches nobody, and no URL
 * can say it (RFC 3986 has no room for one). Known from who was heard where; without that, the one interface that there is.
 * Bounded; overflow policy: `dropOldest`.
 */
export class LinkZones {
  readonly #zones = new Map<string, string>();
  readonly #interfaces: () => readonly string[];

  /** @param interfaces names of those that have IPv6; for tests */
  constructor(interfaces: () => readonly string[] = siteZones) {
    this.#interfaces = interfaces;
  }

  /** Somebody was heard at `fe80::1%eth0`; anything else is nothing to remember. */
  heard(address: string): void {
    const [plain = "", zone] = address.toLowerCase().split("%");
    if (zone === undefined || zone === "" || !isLinkLocal(plain)) return;
    this.#zones.delete(plain);
    this.#zones.set(plain, address.slice(address.indexOf("%") + 1));
    if (this.#zones.size > MAX_ADDRESSES) this.#zones.delete(this.#zones.keys().next().value as string);
  }

  /** The address to connect to; unchanged where it needs no zone or nobody knows it. */
  complete(address: string): string {
    if (!isLinkLocal(address) || address.includes("%")) return address;
    const [only, ...others] = this.#interfaces();
    const zone = this.#zones.get(address.toLowerCase()) ?? (others.length === 0 ? only : undefined);
    return zone === undefined ? address : `${address}%${zone}`;
  }
}

function siteZones(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([zone, addresses = []]) =>
    addresses.some(({ family, internal }) => family === "IPv6" && !internal) ? [zone] : [],
  );
}
