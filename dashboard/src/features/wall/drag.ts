/** Cameras are dragged from the list, or from tile to tile. */
export const CAMERA_DRAG_TYPE = "application/x-huishi-camera";

/** The camera that is dropped, or null for anything else. */
export function draggedCamera(transfer: DataTransfer): string | null {
  return transfer.getData(CAMERA_DRAG_TYPE) || null;
}
