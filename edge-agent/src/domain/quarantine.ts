// Devices that were seen on the network and that nobody has adopted. Pure: time is handed in.

type SightingKind = "ws_discovery" | "subnet_probe" | "typed";

/** What one look at the network says of one device. */
export interface Sighting {
  /** WS-Addressing endpoint; absent where only an address answered. */
  readonly endpoint?: string;
  readonly how: SightingKind;
  /** Host and port. */
  readonly address: string;
  readonly onvifUrl?: string;
  readonly rtspPort?: number;
  readonly name?: string;
  readonly hardware?: string;
  /** The address is the well-known path, and nobody has asked there. */
  readonly isGuess?: boolean;
}

export interface QuarantinedDevice extends Omit<Sighting, "endpoint"> {
  /** Endpoint, else `address:` and the address: stays with the device as far as it tells. */
  readonly deviceKey: string;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

const HOUR_MS = 3_600_000;
/** A device that answers every probe is gone after a day; one that is seen by a scan alone, when a month brought none. */
const GONE_AFTER_MS: Readonly<Record<SightingKind, number>> = {
  ws_discovery: 24 * HOUR_MS,
  subnet_probe: 30 * 24 * HOUR_MS,
  typed: 30 * 24 * HOUR_MS,
};

/** Devices that are kept; when it is full a new one is refused, so that a flood pushes no device out. */
export const MAX_QUARANTINED = 1_000;

export class Quarantine {
  readonly #devices: Map<string, QuarantinedDevice>;
  /** Devices that found no room. */
  refused = 0;

  constructor(known: readonly QuarantinedDevice[] = []) {
    this.#devices = new Map(known.slice(0, MAX_QUARANTINED).map((device) => [device.deviceKey, device]));
  }

  get devices(): readonly QuarantinedDevice[] {
    return [...this.#devices.values()];
  }

  find(deviceKey: string): QuarantinedDevice | null {
    return this.#devices.get(deviceKey) ?? null;
  }

  /** @returns the device when it is new or says something new, else null */
  see(sighting: Sighting, atMs: number): QuarantinedDevice | null {
    const known = this.#known(sighting);
    if (!known && this.#devices.size >= MAX_QUARANTINED) {
      this.refused += 1;
      return null;
    }
    const next = merge(known, sighting, atMs);
    if (known && known.deviceKey !== next.deviceKey) this.#devices.delete(known.deviceKey);
    this.#devices.set(next.deviceKey, next);
    return known && sameWords(known, next) ? null : next;
  }

  /** Removes and gives the devices that were not seen for long. */
  sweep(nowMs: number): QuarantinedDevice[] {
    const gone = this.devices.filter(({ lastSeenMs, how }) => nowMs - lastSeenMs >= GONE_AFTER_MS[how]);
    for (const { deviceKey } of gone) this.#devices.delete(deviceKey);
    return gone;
  }

  /** By its endpoint, else by its address: a scan finds what discovery found. */
  #known({ endpoint, address, onvifUrl }: Sighting): QuarantinedDevice | undefined {
    const byEndpoint = endpoint === undefined ? undefined : this.#devices.get(endpoint);
    if (byEndpoint) return byEndpoint;
    return this.devices.find(
      (device) =>
        (device.address === address || (onvifUrl !== undefined && device.onvifUrl === onvifUrl)) &&
        (endpoint === undefined || device.deviceKey.startsWith("address:")),
    );
  }
}

function merge(known: QuarantinedDevice | undefined, sighting: Sighting, atMs: number): QuarantinedDevice {
  const { endpoint, ...words } = sighting;
  const deviceKey = endpoint ?? known?.deviceKey ?? `address:${sighting.address}`;
  const times = { firstSeenMs: known?.firstSeenMs ?? atMs, lastSeenMs: atMs };
  // A guessed address takes no known one's place.
  if (known && words.isGuess && !known.isGuess) return { ...known, ...times, deviceKey };
  // What discovery tells outlives a scan that only saw a port.
  if (known?.how === "ws_discovery" && words.how !== "ws_discovery")
    return {
      ...words,
      ...known,
      ...(words.rtspPort === undefined ? {} : { rtspPort: words.rtspPort }),
      ...times,
    };
  const rtspPort = words.rtspPort ?? known?.rtspPort;
  return { ...words, ...(rtspPort === undefined ? {} : { rtspPort }), deviceKey, ...times };
}

function sameWords(a: QuarantinedDevice, b: QuarantinedDevice): boolean {
  const words = (d: QuarantinedDevice): string =>
    JSON.stringify([d.deviceKey, d.address, d.onvifUrl, d.rtspPort, d.name, d.hardware]);
  return words(a) === words(b);
}
