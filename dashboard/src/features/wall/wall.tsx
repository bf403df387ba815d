/** The grid of tiles. Tiles are keyed by camera: a change of layout moves pictures, it does not restart them. */
import type { Camera, Priority, StreamProfile } from "@huishi/contracts";
import { useCallback, useMemo, useRef, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { type AlarmListState, openAlarms } from "../../core/model/alarm-list.ts";
import { arrangeTiles, assignTile, type Layout, type Tiles } from "../../core/model/tile-arrangement.ts";
import { isSameList, useSelector, useStore } from "../../core/store.ts";
import { CameraPicker } from "./camera-picker.tsx";
import { CAMERA_DRAG_TYPE, draggedCamera } from "./drag.ts";
import { Tile } from "./tile.tsx";

const alarmedCameras = (state: AlarmListState): string[] =>
  [...openAlarms(state)].map(([cameraId, { priority }]) => `${priority} ${cameraId}`);

/** The full stream for a picture that fills the wall, when a browser can play it; else the small one. */
export function profileFor(layout: Layout, camera: Camera): StreamProfile {
  const main = camera.streams.find((stream) => stream.profile === "main");
  const hasSub = camera.streams.some((stream) => stream.profile === "sub");
  if (!hasSub && main) return "main";
  return layout === 1 && main?.codec === "h264" && main.width <= 1920 ? "main" : "sub";
}

export function Wall() {
  const { operations, preferences } = useApp();
  const { t } = useWords();
  const cameras = useStore(operations.cameras);
  const isLoaded = useStore(operations.loaded);
  const { layout: chosen, pinned } = useStore(preferences);
  const alarmed = useSelector(operations.alarms, alarmedCameras, isSameList);
  const [focused, setFocused] = useState<{ cameraId: string; layout: Layout } | null>(null);
  const previous = useRef<Tiles>([]);
  const byId = useMemo(() => new Map(cameras.map((camera) => [camera.id, camera])), [cameras]);

  const tiles = useMemo(() => {
    const alarms = new Map(alarmed.map((entry) => [entry.slice(3), entry.slice(0, 2) as Priority]));
    return arrangeTiles({
      layout: chosen,
      pinned,
      previous: previous.current,
      cameraIds: cameras.map((camera) => camera.id),
      alarmed: alarms,
    });
  }, [chosen, pinned, cameras, alarmed]);
  previous.current = tiles;

  const assign = useCallback(
    (position: number, cameraId: string) => {
      const next = assignTile(previous.current, preferences.get().pinned, { position, cameraId });
      previous.current = next.tiles;
      preferences.update((kept) => ({ ...kept, pinned: next.pinned }));
    },
    [preferences],
  );
  const unpin = useCallback(
    (position: number) =>
      preferences.update((kept) => ({
        ...kept,
        pinned: new Map([...kept.pinned].filter(([pin]) => pin !== position)),
      })),
    [preferences],
  );
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
  const large = focused?.layout === chosen && byId.has(focused.cameraId) ? focused.cameraId : null;
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
            onAssign={assign}
            onUnpin={unpin}
            onFocusTile={toggleFocus}
          />
        ) : (
          <EmptyTile
            key={`empty-${String(position)}`}
            position={position}
            onAssign={assign}
            onUnpin={unpin}
          />
        );
      })}
    </div>
  );
}

function EmptyTile(props: {
  position: number;
  onAssign: (position: number, cameraId: string) => void;
  onUnpin: (position: number) => void;
}) {
  const { t, number } = useWords();
  const { position, onAssign } = props;
  return (
    <article
      className="tile tile-empty"
      aria-label={t.wall.emptyTile(number(position + 1))}
      data-testid="tile"
      data-position={position}
      data-state="empty"
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(CAMERA_DRAG_TYPE)) event.preventDefault();
      }}
      onDrop={(event) => {
        const cameraId = draggedCamera(event.dataTransfer);
        if (cameraId) onAssign(position, cameraId);
      }}
    >
      <span className="tile-empty-hint">{t.wall.emptyHint}</span>
      <span className="tile-tools">
        <CameraPicker {...props} cameraId={null} isPinned={false} />
      </span>
    </article>
  );
}
