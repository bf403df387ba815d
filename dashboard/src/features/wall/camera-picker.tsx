import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useStore } from "../../core/store.ts";

const AUTOMATIC = "";

/** Chooses the camera of a tile by name; the first entry lets the tile fill itself again. */
export function CameraPicker(props: { position: number; cameraId: string | null; isPinned: boolean }) {
  const { operations, wall } = useApp();
  const cameras = useStore(operations.cameras);
  const { t } = useWords();
  return (
    <select
      className="button tool camera-picker"
      aria-label={t.wall.pick}
      data-testid="tile-picker"
      value={props.cameraId ?? AUTOMATIC}
      onChange={(event) => {
        if (event.target.value === AUTOMATIC) wall.unpin(props.position);
        else wall.assign(props.position, event.target.value);
      }}
    >
      {props.cameraId === null || props.isPinned ? <option value={AUTOMATIC}>{t.wall.unpin}</option> : null}
      {cameras.map((camera) => (
        <option key={camera.id} value={camera.id}>
          {camera.name}
        </option>
      ))}
    </select>
  );
}
