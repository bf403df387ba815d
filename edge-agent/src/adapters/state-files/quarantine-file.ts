import { join } from "node:path";
import { type Static, Type } from "typebox";
import { Check } from "typebox/value";
import type { QuarantineStore } from "../../application/device-watch.ts";
import { MAX_QUARANTINED, type QuarantinedDevice } from "../../domain/quarantine.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";

const text = (maxLength: number) => Type.String({ maxLength });
const DeviceSchema = Type.Object({
  deviceKey: text(220),
  how: Type.Enum(["ws_discovery", "subnet_probe", "typed"]),
  address: text(200),
  onvifUrl: Type.Optional(text(512)),
  rtspPort: Type.Optional(Type.Integer()),
  name: Type.Optional(text(200)),
  hardware: Type.Optional(text(200)),
  isGuess: Type.Optional(Type.Boolean()),
  firstSeenMs: Type.Number(),
  lastSeenMs: Type.Number(),
});

/** The devices in quarantine, in `found-devices.json` of the state folder. A damaged file is an empty one. */
export class QuarantineFile implements QuarantineStore {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "found-devices.json");
  }

  async load(): Promise<QuarantinedDevice[]> {
    const content = await readJsonFile(this.#file);
    if (!Array.isArray(content)) return [];
    return content
      .slice(0, MAX_QUARANTINED)
      .filter((entry): entry is Static<typeof DeviceSchema> => Check(DeviceSchema, entry));
  }

  save(devices: readonly QuarantinedDevice[]): Promise<void> {
    return writeJsonFile(this.#file, devices);
  }
}
