/** The wall's keys. Plain letters, as nobody types on a wall; fields of forms keep theirs. */
import type { AlarmMove } from "@huishi/contracts";
import type { AppParts } from "../core/app-context.ts";
import { reduceAlarmList, stepSelection } from "../core/model/alarm-list.ts";
import type { Layout } from "../core/model/tile-arrangement.ts";
import { navigate } from "../core/route.ts";

export type WallKey =
  | { readonly kind: "layout"; readonly layout: Layout }
  | { readonly kind: "move"; readonly move: AlarmMove }
  | { readonly kind: "step"; readonly step: 1 | -1 }
  | { readonly kind: "zones" }
  | { readonly kind: "showNew" };

const KEYS: Readonly<Record<string, WallKey>> = {
  "1": { kind: "layout", layout: 1 },
  "2": { kind: "layout", layout: 4 },
  "3": { kind: "layout", layout: 9 },
  "4": { kind: "layout", layout: 16 },
  a: { kind: "move", move: "acknowledge" },
  f: { kind: "move", move: "falseAlarm" },
  arrowdown: { kind: "step", step: 1 },
  j: { kind: "step", step: 1 },
  arrowup: { kind: "step", step: -1 },
  k: { kind: "step", step: -1 },
  z: { kind: "zones" },
  n: { kind: "showNew" },
};

/** What a key means on the wall; null when it means nothing or belongs to a field. */
export function wallKey(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  isInField: boolean,
): WallKey | null {
  if (isInField || event.ctrlKey || event.metaKey || event.altKey) return null;
  return KEYS[event.key.toLowerCase()] ?? null;
}

export function wallKeyHandler(
  app: AppParts,
  move: (alarmId: string, move: AlarmMove) => void,
): (event: KeyboardEvent) => void {
  const { operations, preferences } = app;
  return (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const key = wallKey(event, target?.closest("input, select, textarea") !== null && target !== null);
    if (!key || (event.repeat && key.kind !== "step")) return;
    event.preventDefault();
    const state = operations.alarms.get();
    if (key.kind === "layout") preferences.update((kept) => ({ ...kept, layout: key.layout }));
    else if (key.kind === "move") {
      if (state.selectedId !== null) move(state.selectedId, key.move);
    } else if (key.kind === "step") {
      operations.alarms.set(reduceAlarmList(state, { type: "select", id: stepSelection(state, key.step) }));
    } else if (key.kind === "showNew") operations.alarms.set(reduceAlarmList(state, { type: "showWaiting" }));
    else openZones(app, target);
  };
}

/** The camera under the focus, else of the selected alarm, else the first one. */
function openZones({ operations }: AppParts, target: Element | null): void {
  const { byId, selectedId } = operations.alarms.get();
  const focused = target?.closest<HTMLElement>("[data-camera-id]")?.dataset["cameraId"];
  const cameraId = focused ?? byId.get(selectedId ?? "")?.cameraId ?? operations.cameras.get()[0]?.id;
  if (cameraId) navigate({ page: "zones", cameraId });
}
