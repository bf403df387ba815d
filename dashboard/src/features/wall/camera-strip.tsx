/** All cameras with their condition in one line each: what is wrong is read without searching. */
import type { Camera } from "@huishi/contracts";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import type { TileState } from "../../core/live/tile-state.ts";
import { navigate } from "../../core/route.ts";
import { useStore } from "../../core/store.ts";
import { CAMERA_DRAG_TYPE } from "./use-camera-drop.ts";

/** The condition as the tile would name it; null when all is well. */
function faultOf(camera: Camera): TileState | null {
  if (!camera.agentOnline) return "agent_offline";
  if (camera.condition === "online" || camera.condition === "degraded") return null;
  return camera.condition === "offline" ? "camera_offline" : camera.condition;
}

export function CameraStrip() {
  const { operations } = useApp();
  const cameras = useStore(operations.cameras);
  const { t, number } = useWords();
  if (cameras.length === 0) return null;
  const isWell = (camera: Camera): boolean => faultOf(camera) === null && camera.condition !== "degraded";
  const online = cameras.filter(isWell).length;
  return (
    <nav className="strip" aria-label={t.wall.cameras} data-testid="camera-strip">
      <span
        className={online < cameras.length ? "strip-sum strip-sum-fault" : "strip-sum"}
        data-testid="cameras-online"
      >
        {t.wall.camerasOnline(number(online), number(cameras.length))}
      </span>
      <ul>
        {cameras.map((camera) => (
          <StripCamera key={camera.id} camera={camera} />
        ))}
      </ul>
    </nav>
  );
}

function StripCamera({ camera }: { camera: Camera }) {
  const { t } = useWords();
  const fault = faultOf(camera);
  const faults = fault === null && camera.condition === "degraded" ? (camera.faults ?? []) : [];
  const degraded = faults.map(({ fault: found }) => t.cameraFault[found]).join(", ");
  return (
    <li>
      <button
        type="button"
        draggable
        className={
          fault
            ? "strip-camera strip-camera-fault"
            : degraded
              ? "strip-camera strip-camera-degraded"
              : "strip-camera"
        }
        data-testid="strip-camera"
        data-camera-id={camera.id}
        data-condition={fault ?? (degraded ? "degraded" : "online")}
        title={fault ? t.tile[fault].meaning : degraded || t.wall.zonesOf(camera.name)}
        onDragStart={(event) => event.dataTransfer.setData(CAMERA_DRAG_TYPE, camera.id)}
        onClick={() => navigate({ page: "zones", cameraId: camera.id })}
      >
        <span
          className={
            fault ? "condition condition-fault" : degraded ? "condition condition-degraded" : "condition"
          }
          aria-hidden
        />
        <span>{camera.name}</span>
        {fault ? <span className="strip-fault">{t.tile[fault].title}</span> : null}
        {degraded ? <span className="strip-degraded">{degraded}</span> : null}
      </button>
    </li>
  );
}
