/** The grid of tiles. Tiles are keyed by camera: a change of layout moves pictures, it does not restart them. */
import type { Camera, StreamProfile } from "@huishi/contracts";
import { useCallback, useMemo, useRef, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { type Layout, layoutFor } from "../../core/model/tile-arrangement.ts";
import { useStore } from "../../core/store.ts";
import { CameraPicker } from "./camera-picker.tsx";
import { Tile } from "./tile.tsx";
import { useCameraDrop } from "./use-camera-drop.ts";

/** The full stream for a picture that fills the wall, when a browser can play it; else the small one. */
function profileFor(layout: Layout, camera: Camera): StreamProfile {
  const main = camera.streams.find((stream) => stream.profile === "main");
  const hasSub = camera.streams.some((stream) => stream.profile === "sub");
  if (!hasSub && main) return "main";
  return layout === 1 && main?.codec === "h264" && main.width <= 1920 ? "main" : "sub";
}

export function Wall() {
  const { operations, preferences, wall } = useApp();
  const { t } = useWords();
  const cameras = useStore(operations.cameras);
  const isLoaded = useStore(operations.loaded);
  const { layout: preferred, pinned } = useStore(preferences);
  const chosen = layoutFor(preferred, cameras.length);
  const tiles = useStore(wall.tiles);
  const [focused, setFocused] = useState<{ cameraId: string; layout: Layout | null } | null>(null);
  const byId = useMemo(() => new Map(cameras.map((camera) => [camera.id, camera])), [cameras]);
  const toggleFocus = useCallback(
    (cameraId: string) =>
      setFocused((now) =>
        now?.cameraId === cameraId ? null : { cameraId, layout: preferences.get().layout },
      ),
    [preferences],
  );

  if (isLoaded && cameras.length === 0) {
    return (
      <div className="wall wall-empty" data-testid="wall" data-layout={chosen}>
        <div className="teach">
          <h2>{t.wall.noCameras}</h2>
          <p>{t.wall.noCamerasHint}</p>
        </div>
      </div>
    );
  }
  // A layout key leads back to all tiles.
  const large = focused?.layout === preferred && byId.has(focused.cameraId) ? focused.cameraId : null;
  const layout: Layout = large ? 1 : chosen;
  return (
    <div className={`wall wall-${layout}`} data-testid="wall" data-layout={layout}>
      {(large ? [large] : tiles).map((cameraId, position) => {
        const camera = cameraId ? byId.get(cameraId) : undefined;
        return camera ? (
          <Tile
            key={camera.id}
            camera={camera}
            position={large ? tiles.indexOf(large) : position}
            profile={profileFor(layout, camera)}
            isPinned={pinned.get(position) === camera.id}
            isLarge={large !== null}
            onFocusTile={toggleFocus}
          />
        ) : (
          <EmptyTile key={`empty-${String(position)}`} position={position} />
        );
      })}
    </div>
  );
}

function EmptyTile({ position }: { position: number }) {
  const { t, number } = useWords();
  const root = useRef<HTMLElement>(null);
  const isOver = useCameraDrop(root, position);
  return (
    <article
      ref={root}
      className={isOver ? "tile tile-empty tile-over" : "tile tile-empty"}
      aria-label={t.wall.emptyTile(number(position + 1))}
      data-testid="tile"
      data-position={position}
      data-state="empty"
    >
      <span className="tile-empty-hint">{t.wall.emptyHint}</span>
      <span className="tile-tools">
        <CameraPicker position={position} cameraId={null} isPinned={false} />
      </span>
    </article>
  );
}
