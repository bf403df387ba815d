/** Cameras are dragged from the list, or from tile to tile. */
import { useEffect, useState } from "react";
import { useApp } from "../../core/app-context.ts";

export const CAMERA_DRAG_TYPE = "application/x-huishi-camera";

/** Lets a camera be dropped on the tile. Returns whether one hangs over it now. */
export function useCameraDrop(root: React.RefObject<HTMLElement | null>, position: number): boolean {
  const { wall } = useApp();
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    const element = root.current;
    if (!element) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    element.addEventListener(
      "dragover",
      (event) => {
        if (!event.dataTransfer?.types.includes(CAMERA_DRAG_TYPE)) return;
        event.preventDefault();
        setIsOver(true);
      },
      { signal },
    );
    element.addEventListener("dragleave", () => setIsOver(false), { signal });
    element.addEventListener(
      "drop",
      (event) => {
        setIsOver(false);
        const cameraId = event.dataTransfer?.getData(CAMERA_DRAG_TYPE);
        if (!cameraId) return;
        event.preventDefault();
        wall.assign(position, cameraId);
      },
      { signal },
    );
    return () => ending.abort();
  }, [root, position, wall]);
  return isOver;
}
