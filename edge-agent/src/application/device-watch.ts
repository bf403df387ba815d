import type { Clock } from "@huishi/kernel";
import { EdgeError } from "../domain/faults.ts";
import { Quarantine, type QuarantinedDevice, type Sighting } from "../domain/quarantine.ts";
import { addressesOf } from "../domain/site-networks.ts";
import type { EventRecorder } from "./outbox-relay.ts";
import type { AddressProbe, CommandHandler, Discovery, FoundDevice, Log, ProbedAddress } from "./ports.ts";

const MAX_SCAN_ADDRESSES = 1_024;
/** Sightings without news are stored this often. */
const STORE_INTERVAL_MS = 3_600_000;

export interface QuarantineStore {
  load(): Promise<QuarantinedDevice[]>;
  save(devices: readonly QuarantinedDevice[]): Promise<void>;
}

export interface DeviceWatchOptions {
  readonly discovery: Discovery | null;
  readonly probe: AddressProbe;
  readonly store: QuarantineStore;
  readonly recorder: Pick<EventRecorder, "record">;
  readonly clock: Clock;
  readonly log: Log;
  /** Does a camera of ours stand for this device already? It is told as gone from the quarantine. */
  readonly isAdopted: (device: QuarantinedDevice) => boolean;
  /** May this network be scanned? */
  readonly isOfSite: (network: string) => boolean;
}

/**
 * Watches which devices are on the network. An unknown one is put in quarantine and told to the centre, once a change;
 * it is never signed in to and never adopted by itself. Whoever looks for devices does it through this.
 */
export class DeviceWatch implements Discovery {
  readonly #options: DeviceWatchOptions;
  #quarantine = new Quarantine();
  #ready: Promise<void> | null = null;
  readonly #adopted = new Set<string>();
  #storedAtMs = 0;
  #isScanning = false;

  constructor(options: DeviceWatchOptions) {
    this.#options = options;
  }

  /** Devices that nobody has adopted, for the status page and the command line. */
  listQuarantine(): QuarantinedDevice[] {
    return this.#quarantine.devices.filter((device) => !this.#options.isAdopted(device));
  }

  /** Where a device is now; null when it is not known. */
  locate(deviceKey: string): QuarantinedDevice | null {
    return this.#quarantine.find(deviceKey);
  }

  /** Reads what was known at the last run. */
  load(): Promise<void> {
    this.#ready ??= this.#options.store.load().then(
      (devices) => {
        this.#quarantine = new Quarantine(devices);
        for (const device of devices)
          if (this.#options.isAdopted(device)) this.#adopted.add(device.deviceKey);
      },
      (err: unknown) => this.#options.log.warn({ err }, "devices in quarantine could not be read"),
    );
    return this.#ready;
  }

  /** One round of discovery; what it finds goes through the quarantine. */
  async probe(signal: AbortSignal): Promise<FoundDevice[]> {
    if (!this.#options.discovery) return [];
    const found = await this.#options.discovery.probe(signal);
    await this.take(found.map(sightingOf));
    // Nobody told the guessed addresses: they are shown, and nobody signs in there.
    return found.filter(({ isGuess }) => !isGuess);
  }

  /** Takes what was seen, tells the centre what is news, and stores it. */
  async take(sightings: readonly Sighting[]): Promise<void> {
    await this.load();
    const nowMs = this.#options.clock.nowMs();
    let hasNews = false;
    for (const sighting of sightings) {
      const device = this.#quarantine.see(sighting, nowMs);
      if (!device) continue;
      hasNews = true;
      if (!this.#options.isAdopted(device)) this.#tell(device, nowMs);
    }
    for (const device of this.#quarantine.sweep(nowMs)) {
      hasNews = true;
      if (!this.#options.isAdopted(device)) this.#tell(device, nowMs, true);
    }
    if (this.#tellAdoptions(nowMs)) hasNews = true;
    if (hasNews || nowMs - this.#storedAtMs >= STORE_INTERVAL_MS) await this.#store(nowMs);
  }

  /** The `scan` command: devices come as `device_found`, the reply counts them. */
  readonly scan: CommandHandler<"scan"> = async ({ networks }, signal) => {
    if (this.#isScanning) throw new EdgeError("SCAN_REFUSED", "a scan runs already");
    const outside = networks.find((network) => !this.#options.isOfSite(network));
    if (outside !== undefined) throw new EdgeError("SCAN_REFUSED", `${outside} is not of this site`);
    const addresses = addressesOf(networks, MAX_SCAN_ADDRESSES);
    if (!addresses) throw new EdgeError("SCAN_REFUSED", "these are too many addresses");
    this.#isScanning = true;
    try {
      const discovered = await this.probe(signal).catch((err: unknown) => {
        signal.throwIfAborted();
        this.#options.log.warn({ err }, "discovery failed");
        return [];
      });
      const answered = await this.#options.probe.probe(addresses, signal);
      await this.take(answered.map(probedSighting));
      return { addresses: addresses.length, discovered: discovered.length, answered: answered.length };
    } finally {
      this.#isScanning = false;
    }
  };

  #tellAdoptions(nowMs: number): boolean {
    let changed = false;
    for (const device of this.#quarantine.devices) {
      const isAdopted = this.#options.isAdopted(device);
      if (isAdopted === this.#adopted.has(device.deviceKey)) continue;
      changed = true;
      if (isAdopted) this.#adopted.add(device.deviceKey);
      else this.#adopted.delete(device.deviceKey);
      this.#tell(device, nowMs, isAdopted);
    }
    return changed;
  }

  #tell(device: QuarantinedDevice, nowMs: number, gone = false): void {
    const { deviceKey, how, address, onvifUrl, rtspPort, name, hardware } = device;
    this.#options.log.info(
      { deviceKey, how, address, gone },
      gone ? "device left quarantine" : "device found",
    );
    this.#options.recorder.record({
      type: "device_found",
      capturedAtMs: nowMs,
      deviceKey: deviceKey.slice(0, 200),
      how,
      address,
      ...(onvifUrl === undefined ? {} : { onvifUrl }),
      ...(rtspPort === undefined ? {} : { rtspPort }),
      ...(name === undefined ? {} : { name }),
      ...(hardware === undefined ? {} : { hardware }),
      ...(gone ? { gone } : {}),
    });
  }

  async #store(nowMs: number): Promise<void> {
    this.#storedAtMs = nowMs;
    await this.#options.store
      .save(this.#quarantine.devices)
      .catch((err: unknown) => this.#options.log.warn({ err }, "devices in quarantine could not be stored"));
  }
}

function sightingOf({ endpoint, onvifUrl, name, hardware, isGuess }: FoundDevice): Sighting {
  return {
    how: "ws_discovery",
    endpoint,
    address: new URL(onvifUrl).host,
    onvifUrl,
    ...(name === null ? {} : { name }),
    ...(hardware === null ? {} : { hardware }),
    ...(isGuess ? { isGuess } : {}),
  };
}

function probedSighting({ address, onvifUrl, rtspPort }: ProbedAddress): Sighting {
  const plain = address.includes(":") ? `[${address}]` : address;
  return {
    how: "subnet_probe",
    address: onvifUrl === undefined ? `${plain}:${rtspPort}` : new URL(onvifUrl).host,
    ...(onvifUrl === undefined ? {} : { onvifUrl }),
    ...(rtspPort === undefined ? {} : { rtspPort }),
  };
}
