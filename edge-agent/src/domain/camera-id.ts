import { isId, slugify } from "@huishi/kernel";

/** Anything a camera can be known by again, from the most to the least lasting. */
export interface CameraTraits {
  readonly manufacturer?: string;
  readonly serial?: string;
  readonly hardwareAddress?: string;
  /** WS-Addressing endpoint, `urn:uuid:...`. */
  readonly endpoint?: string;
  /** Host and port, or an RTSP address without credentials. */
  readonly address?: string;
}

/** Serial numbers that whole product lines share. */
const WORTHLESS = /^(0+|1234567?8?9?0?|n\/?a|none|null|unknown|default|serial(number)?)$/i;

/** Keys under which a camera is remembered, best first: a new address alone does not make a new camera. */
function traitKeys(traits: CameraTraits): string[] {
  const keys: string[] = [];
  const serial = traits.serial?.trim() ?? "";
  if (serial.length >= 3 && !WORTHLESS.test(serial)) {
    keys.push(`serial:${slugify(traits.manufacturer ?? "")}:${serial.toLowerCase()}`);
  }
  const mac = traits.hardwareAddress?.toLowerCase().replace(/[^0-9a-f]/g, "") ?? "";
  if (mac.length === 12 && !/^0+$/.test(mac)) keys.push(`mac:${mac}`);
  if (traits.endpoint) keys.push(`endpoint:${traits.endpoint.toLowerCase()}`);
  if (traits.address) keys.push(`address:${traits.address}`);
  return keys;
}

function isAddress(key: string): boolean {
  return key.startsWith("address:");
}

/** A fresh id for a camera that is not known yet. */
export function proposeCameraId(traits: CameraTraits): string {
  const best = traitKeys(traits)[0] ?? "";
  if (best.startsWith("serial:")) {
    const slug = slugify([traits.manufacturer ?? "", traits.serial ?? ""].join(" "));
    if (isId(slug) && /[a-z]/.test(slug)) return slug;
  }
  const value = best.slice(best.indexOf(":") + 1).replace(/^urn:uuid:/, "");
  return slugify(`camera ${value}`);
}

/**
 * Which id each known trait belongs to. The first id that a camera was given stays its id; traits that are
 * learnt later are added to it.
 */
export class CameraRegistry {
  readonly #idByKey: Map<string, string>;

  constructor(known: Readonly<Record<string, string>> = {}) {
    this.#idByKey = new Map(Object.entries(known));
  }

  /** The id of a camera with these traits, or null when none is known. */
  find(traits: CameraTraits): string | null {
    const keys = traitKeys(traits);
    for (const key of keys) {
      const id = this.#idByKey.get(key);
      if (id !== undefined && (!isAddress(key) || keys.length === 1 || !this.#isKnownByMore(id))) return id;
    }
    return null;
  }

  /** An address alone does not make another device the camera that had it before (DHCP). */
  #isKnownByMore(id: string): boolean {
    for (const [key, known] of this.#idByKey) if (known === id && !isAddress(key)) return true;
    return false;
  }

  /** The camera's id, given now if need be, and whether the registry changed. */
  assign(traits: CameraTraits, configuredId?: string): { id: string; changed: boolean } {
    const id = configuredId ?? this.find(traits) ?? this.#unused(proposeCameraId(traits));
    let changed = false;
    for (const key of traitKeys(traits)) {
      if (this.#idByKey.get(key) === id) continue;
      this.#idByKey.set(key, id);
      changed = true;
    }
    return { id, changed };
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#idByKey);
  }

  #unused(id: string): string {
    const taken = new Set(this.#idByKey.values());
    if (!taken.has(id)) return id;
    for (let n = 2; ; n++) if (!taken.has(`${id}-${n}`)) return `${id}-${n}`;
  }
}
