import type { Camera } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { type NameDirectory, requireKnown } from "./scope.ts";
import { settle, type Versioned } from "./versioned.ts";

export interface CameraChange {
  readonly id: string;
  readonly name: string;
  readonly areaId?: string | null;
  readonly backfill?: boolean;
  readonly version: number;
}

export interface CameraStore {
  listCameras(): Promise<Camera[]>;
  findCamera(id: string): Promise<Camera | null>;
  findCameras(ids: readonly string[]): Promise<Camera[]>;
  /** Without `areaId` the camera stays where it is. */
  changeCamera(change: CameraChange): Promise<Versioned<Camera>>;
  deleteCamera(id: string): Promise<boolean>;
}

/** @throws HuishiError CAMERA_NOT_FOUND */
export async function getCamera(store: CameraStore, id: string): Promise<Camera> {
  const camera = await store.findCamera(id);
  if (camera === null) throw cameraNotFound(id);
  return camera;
}

/**
 * Names a camera and says where it stands.
 *
 * @throws HuishiError CAMERA_NOT_FOUND, AREA_NOT_FOUND, VERSION_CONFLICT
 */
export async function changeCamera(
  store: CameraStore,
  names: NameDirectory,
  change: CameraChange,
): Promise<Camera> {
  if (typeof change.areaId === "string") await requireKnown(names, "area", [change.areaId]);
  return settle(await store.changeCamera(change), () => cameraNotFound(change.id));
}

export function cameraNotFound(id: string): HuishiError {
  return new HuishiError(
    "CAMERA_NOT_FOUND",
    "There is no such camera; it may have been deleted. Read the list again.",
    {
      details: { cameraId: id },
    },
  );
}
