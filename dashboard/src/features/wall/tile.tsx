/** One tile of the wall: the live picture, what it may claim to be, and the camera's open alarm. */
import type { Camera, StreamProfile } from "@huishi/contracts";
import { memo, useMemo, useRef } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import type { LiveView } from "../../core/live/live-view.ts";
import { type AlarmListState, type OpenAlarm, openAlarms } from "../../core/model/alarm-list.ts";
import { navigate } from "../../core/route.ts";
import { useSelector } from "../../core/store.ts";
import { LivePicture } from "../../ui/live-picture.tsx";
import { PriorityMark } from "../../ui/priority-mark.tsx";
import { useOverlayZones } from "../../ui/use-overlay-zones.ts";
import { useTileState } from "../../ui/use-tile-state.ts";
import { CameraPicker } from "./camera-picker.tsx";
import { FaultChip } from "./fault-chip.tsx";
import { LineCounts } from "./line-counts.tsx";
import { writeTick } from "./tile-tick.ts";
import { usePulse } from "./use-pulse.ts";
import { CAMERA_DRAG_TYPE, useCameraDrop } from "./use-camera-drop.ts";

export interface TileProps {
  readonly camera: Camera;
  readonly position: number;
  readonly profile: StreamProfile;
  readonly isPinned: boolean;
  readonly isLarge: boolean;
  readonly onFocusTile: (cameraId: string) => void;
}

const isSameAlarm = (a: OpenAlarm | null, b: OpenAlarm | null): boolean =>
  a?.alarmId === b?.alarmId && a?.priority === b?.priority && a?.count === b?.count;

export const Tile = memo(function Tile(props: TileProps) {
  const { camera, position, isLarge } = props;
  const { operations } = useApp();
  const words = useWords();
  const { t, number } = words;
  const root = useRef<HTMLElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const view = useRef<LiveView | null>(null);
  const zones = useOverlayZones(camera.id);
  const isOver = useCameraDrop(root, position);
  const alarm = useSelector(
    operations.alarms,
    useMemo(() => (state: AlarmListState) => openAlarms(state).get(camera.id) ?? null, [camera.id]),
    isSameAlarm,
  );
  usePulse(frame, alarm);
  const state = useTileState(camera, view, (tick) => writeTick(root.current, tick, { camera, words }));
  const cause = t.tile[state];

  return (
    <article
      ref={root}
      className={`tile tile-${state}${isOver ? " tile-over" : ""}`}
      aria-label={t.wall.tile(number(position + 1), camera.name)}
      data-testid="tile"
      data-position={position}
      data-camera-id={camera.id}
      data-state={state}
      data-alarm={alarm?.priority ?? "none"}
    >
      <LivePicture cameraId={camera.id} profile={props.profile} zones={zones} viewRef={view} />
      <div className="tile-shade" aria-hidden />
      <div className="tile-cause" hidden={state === "live" || state === "delayed"}>
        <StateSign state={state} />
        <strong data-testid="tile-cause">{cause.title}</strong>
        <span className="tile-age numeric" data-tick="age" data-testid="tile-age" />
        {cause.meaning ? <span className="tile-meaning">{cause.meaning}</span> : null}
        {camera.conditionCode && state !== "stale" && state !== "socket_lost" ? (
          <small className="numeric">{t.common.code(camera.conditionCode)}</small>
        ) : null}
      </div>
      <header className="tile-head">
        <span
          className="tile-name"
          draggable
          onDragStart={(event) => event.dataTransfer.setData(CAMERA_DRAG_TYPE, camera.id)}
        >
          {camera.name}
        </span>
        {camera.note ? (
          <span className="chip" data-testid="tile-note">
            {words.note(camera.note)}
          </span>
        ) : null}
        <FaultChip camera={camera} />
        <span className="chip chip-late numeric" data-tick="late" data-testid="tile-late" hidden />
        <time
          className="tile-time numeric"
          data-tick="time"
          data-testid="tile-time"
          title={t.wall.captured}
        />
      </header>
      <footer className="tile-foot">
        {alarm ? (
          <span className={`tile-alarm priority-${alarm.priority}`} data-testid="tile-alarm">
            <PriorityMark priority={alarm.priority} labelled />
            <span className="numeric">{t.wall.openAlarms(number(alarm.count))}</span>
          </span>
        ) : null}
        <LineCounts cameraId={camera.id} />
        <span className="tile-tools">
          <CameraPicker position={position} cameraId={camera.id} isPinned={props.isPinned} />
          <button
            type="button"
            className="button tool"
            data-testid="tile-zones"
            aria-label={t.wall.zonesOf(camera.name)}
            onClick={() => navigate({ page: "zones", cameraId: camera.id })}
          >
            {t.wall.zones}
          </button>
          <button
            type="button"
            className="button tool icon"
            aria-pressed={isLarge}
            aria-label={isLarge ? t.wall.unfocus : t.wall.focus}
            title={isLarge ? t.wall.unfocus : t.wall.focus}
            data-testid="tile-focus"
            onClick={() => props.onFocusTile(camera.id)}
          >
            <svg viewBox="0 0 16 16" aria-hidden>
              <path
                d={isLarge ? "M6 2v4H2M10 14v-4h4M6 6 2 2M10 10l4 4" : "M9 2h5v5M7 14H2V9M14 2 9 7M2 14l5-5"}
                fill="none"
                stroke="currentColor"
                strokeWidth="1.5"
              />
            </svg>
          </button>
        </span>
      </footer>
      <div
        ref={frame}
        className={`tile-frame priority-${alarm?.priority ?? "none"}`}
        hidden={!alarm}
        aria-hidden
      />
    </article>
  );
});

/** A sign for why there is no live picture, so that states differ without reading. */
function StateSign({ state }: { state: string }) {
  const path: Record<string, string> = {
    stale: "M12 3a9 9 0 1 0 .01 0M12 7v5l4 2",
    socket_lost: "M4 9a12 12 0 0 1 16 0M7.5 12.5a7 7 0 0 1 9 0M12 17h.01M4 3l16 18",
    agent_offline: "M4 6h16v9H4zM9 19h6M12 15v4M3 3l18 18",
    camera_offline: "M3 8h12v8H3zM15 11l6-3v8l-6-3M3 3l18 18",
    auth_failed: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3M12 14v3",
    unreachable: "M4 12h5M15 12h5M10 8l4 8M14 8l-4 8",
    no_frames: "M3 5h18v12H3zM8 21h8M8 9l8 4M16 9l-8 4",
    unsupported: "M3 5h18v14H3zM12 9v4M12 16h.01",
    refused: "M12 3a9 9 0 1 0 .01 0M5.6 5.6l12.8 12.8",
    connecting: "M4 12h.01M12 12h.01M20 12h.01",
  };
  return (
    <svg className="state-sign" viewBox="0 0 24 24" aria-hidden>
      <path
        d={path[state] ?? ""}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
