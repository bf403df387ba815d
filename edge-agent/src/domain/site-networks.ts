// Which addresses belong to the site: what devices or the centre name is spoken to only inside of it.

/** Private networks (RFC 1918), link-local IPv6 (RFC 4291 §2.5.6) and unique local addresses (RFC 4193). */
const DEFAULT_SITE_NETWORKS: readonly string[] = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fe80::/10",
  "fc00::/7",
];

interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}
interface Network extends Address {
  readonly bits: number;
}

/** Nobody's address, many hosts' address, or an IPv4 address in disguise: never a device of the site. */
const NEVER = [
  "0.0.0.0/8",
  "224.0.0.0/3",
  "::/128",
  "ff00::/8",
  // IPv4-mapped, IPv4-compatible but ::1, NAT64 (RFC 6052) and 6to4 (RFC 3056).
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "2002::/16",
].map(mustParse);

/** Ours alone only when somebody named them: a network that merely contains them does not open them. */
const ONLY_BY_NAME = ["127.0.0.0/8", "::1/128", "169.254.0.0/16", "::/96"].map(mustParse);

/** The networks of one site. */
export class SiteNetworks {
  readonly #networks: readonly Network[];

  private constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /** @returns null when one of them is no IPv4 or IPv6 network */
  static parse(texts: readonly string[] = DEFAULT_SITE_NETWORKS): SiteNetworks | null {
    const networks = texts.map(parseNetwork);
    return networks.every((network) => network !== null) ? new SiteNetworks(networks) : null;
  }

  /** Is this the canonical notation of an address of the site? A zone (`%eth0`) is passed over. */
  allows(text: string): boolean {
    const address = parseAddress(text);
    if (!address || NEVER.some((network) => holds(network, address))) return false;
    const special = ONLY_BY_NAME.find((network) => holds(network, address));
    return this.#networks.some(
      (network) =>
        holds(network, address) && (!special || (network.bits >= special.bits && holds(special, network))),
    );
  }

  /** Does a network lie inside the site's, as a whole? */
  includes(text: string): boolean {
    const inner = parseNetwork(text);
    return (
      inner !== null &&
      this.allows(addressText(inner)) &&
      this.#networks.some((network) => network.bits <= inner.bits && holds(network, inner))
    );
  }
}

/**
 * An address in its canonical notation: four decimal numbers without leading zeros, or RFC 4291 text. Octal, hexadecimal,
 * decimal and shortened IPv4 notations are none. Null for everything else.
 */
export function parseAddress(text: string): Address | null {
  const v4 = ipv4Value(text);
  if (v4 !== null) return { family: 4, value: v4 };
  const zone = text.indexOf("%");
  const v6 = ipv6Value(zone < 0 ? text : text.slice(0, zone));
  return v6 === null ? null : { family: 6, value: v6 };
}

/** Does a host look like an address that resolvers take as a number (`2130706433`, `0x7f.1`, `0177.0.0.1`)? */
export function isNumericHost(host: string): boolean {
  const last = host.replace(/\.$/, "").split(".").at(-1) ?? "";
  return /^(0x[0-9a-f]*|\d+)$/i.test(last);
}

/**
 * All addresses of networks in order, network and broadcast address of IPv4 networks of /30 and larger left out. Null when
 * they are more than `max`, or one is no network.
 */
export function addressesOf(networks: readonly string[], max: number): string[] | null {
  const found = new Set<string>();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (!network) return null;
    const freeBits = (network.family === 4 ? 32 : 128) - network.bits;
    if (freeBits > 31 || 2 ** freeBits > max + 2) return null;
    const count = 2 ** freeBits;
    const edge = network.family === 4 && freeBits >= 2 ? 1 : 0;
    for (let i = edge; i < count - edge; i++) {
      found.add(addressText({ family: network.family, value: network.value + BigInt(i) }));
      if (found.size > max) return null;
    }
  }
  return [...found];
}

function parseNetwork(text: string): Network | null {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = parseAddress(match?.[1] ?? "");
  const bits = Number(match?.[2]);
  if (!address || (match?.[1] ?? "").includes("%")) return null;
  const width = address.family === 4 ? 32 : 128;
  if (bits > width) return null;
  const free = BigInt(width - bits);
  return { family: address.family, value: (address.value >> free) << free, bits };
}

function mustParse(text: string): Network {
  return parseNetwork(text) as Network;
}

function holds(network: Network, address: Address): boolean {
  if (network.family !== address.family) return false;
  const free = BigInt((network.family === 4 ? 32 : 128) - network.bits);
  return network.value >> free === address.value >> free;
}

function ipv4Value(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function ipv6Value(text: string): bigint | null {
  if (!/^[0-9a-f:.]{2,45}$/i.test(text) || !text.includes(":")) return null;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (dotted) {
    const v4 = ipv4Value(dotted[2] as string);
    if (v4 === null) return null;
    plain = `${dotted[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const halves = plain.split("::");
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n);
}

function addressText({ family, value }: Address): string {
  const groups = family === 4 ? 4 : 8;
  const width = family === 4 ? 8n : 16n;
  const parts = Array.from({ length: groups }, (_, i) =>
    ((value >> (width * BigInt(groups - 1 - i))) & ((1n << width) - 1n)).toString(family === 4 ? 10 : 16),
  );
  return parts.join(family === 4 ? "." : ":");
}
