import type { EdgeEvent } from "@huishi/contracts";
import type { CameraDescription, ChosenStream } from "./camera-description.ts";

type InventoryDraft = Omit<Extract<EdgeEvent, { type: "camera_inventory" }>, "seq" | "agentAtMs">;

/** Device texts are foreign: control characters go, the length is bounded, and nothing stays of nothing. */
function cleanText(text: string | undefined, maxLength = 200): string | undefined {
  const clean = text
    ?.replace(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, maxLength);
  return clean === "" ? undefined : clean;
}

/** The device record of a camera as an event. The name that a person configured wins over the device's. */
export function inventoryEvent(camera: {
  readonly cameraId: string;
  readonly name?: string;
  readonly note?: string;
  /** WS-Addressing endpoint of a camera that was found. */
  readonly endpoint?: string;
  readonly description: CameraDescription;
  readonly streams: readonly ChosenStream[];
  readonly capturedAtMs: number;
}): InventoryDraft {
  const { cameraId, description, capturedAtMs } = camera;
  const optional = {
    manufacturer: cleanText(description.manufacturer),
    model: cleanText(description.model),
    firmware: cleanText(description.firmware),
    serial: cleanText(description.serial),
    address: cleanText(description.address),
    hardwareAddress: hardwareAddressText(description.hardwareAddress),
    endpoint: cleanText(camera.endpoint),
    capabilities: description.capabilities,
    note: cleanText(camera.note),
  };
  return {
    type: "camera_inventory",
    cameraId,
    capturedAtMs,
    name:
      cleanText(camera.name, 120) ??
      cleanText(description.name, 120) ??
      cleanText(description.model, 120) ??
      cameraId,
    ...withoutUndefined(optional),
    streams: camera.streams.map(({ profile, codec, width, height, fps }) => ({
      profile,
      codec,
      width: clampInteger(width),
      height: clampInteger(height),
      ...(fps !== undefined && fps > 0 && fps <= 1000 ? { fps } : {}),
    })),
    ptz: description.ptz,
  };
}

/** `02-1A…` and `021a…` -> `02:1a:…`; what is no MAC address stays as the device gave it. */
function hardwareAddressText(text: string | undefined): string | undefined {
  const digits = text?.replaceAll(/[\s:.-]/g, "").toLowerCase() ?? "";
  return /^[0-9a-f]{12}$/.test(digits) ? digits.match(/../g)?.join(":") : cleanText(text);
}

function clampInteger(value: number): number {
  return Number.isFinite(value) ? Math.min(32768, Math.max(0, Math.round(value))) : 0;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function withoutUndefined<T extends object>(record: T): Defined<T> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as Defined<T>;
}
