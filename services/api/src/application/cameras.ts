import type { Camera } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import type { Versioned } from "./versioned.ts";

export interface CameraStore {
  listCameras(): Promise<Camera[]>;
  findCamera(id: string): Promise<Camera | null>;
  findCameras(ids: readonly string[]): Promise<Camera[]>;
  renameCamera(rename: { id: string; name: string; version: number }): Promise<Versioned<Camera>>;
  deleteCamera(id: string): Promise<boolean>;
}

/** @throws HuishiError CAMERA_NOT_FOUND */
export async function getCamera(store: CameraStore, id: string): Promise<Camera> {
  const camera = await store.findCamera(id);
  if (camera === null) throw cameraNotFound(id);
  return camera;
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
