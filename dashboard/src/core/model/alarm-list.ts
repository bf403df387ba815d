/**
 * The alarm list as a pure reducer: what is known, what is shown, and what waits. While somebody's pointer or
 * focus is in the list its rows neither come, go nor move; new ones wait behind a counter.
 */
import type { Alarm, Priority } from "@huishi/contracts";
import { urgency } from "./tile-arrangement.ts";

export type AlarmFilter = "new" | "all";
/** Known alarms at most; the oldest are forgotten and can be loaded again. */
const MAX_KNOWN = 3_000;

export interface AlarmListState {
  readonly byId: ReadonlyMap<string, Alarm>;
  /** Ids, newest first. */
  readonly order: readonly string[];
  readonly filter: AlarmFilter;
  /** For each filter: the oldest id up to which nothing is missing; null = down to the very first. */
  readonly floors: Readonly<Record<AlarmFilter, string | null | undefined>>;
  /** The ids that are shown while the list is held; null when it moves freely. */
  readonly heldIds: readonly string[] | null;
  readonly selectedId: string | null;
}

export const EMPTY_ALARM_LIST: AlarmListState = {
  byId: new Map(),
  order: [],
  filter: "new",
  floors: { new: undefined, all: undefined },
  heldIds: null,
  selectedId: null,
};

export type AlarmListAction =
  | { readonly type: "reset" }
  | {
      readonly type: "page";
      readonly filter: AlarmFilter;
      readonly alarms: readonly Alarm[];
      readonly next: string | null;
    }
  | { readonly type: "changed"; readonly alarms: readonly Alarm[] }
  | { readonly type: "filter"; readonly filter: AlarmFilter }
  | { readonly type: "hold" }
  | { readonly type: "release" }
  /** Show what waits, though the list stays held. */
  | { readonly type: "showWaiting" }
  | { readonly type: "select"; readonly id: string | null };

/** Ids are decimal numbers of up to 19 digits: longer is larger. Newest first. */
function compareIdsDescending(a: string, b: string): number {
  return b.length - a.length || (a < b ? 1 : a > b ? -1 : 0);
}

export function reduceAlarmList(state: AlarmListState, action: AlarmListAction): AlarmListState {
  switch (action.type) {
    case "reset":
      return { ...EMPTY_ALARM_LIST, filter: state.filter, selectedId: state.selectedId };
    case "page": {
      const merged = merge(state, action.alarms);
      const floors = { ...merged.floors, [action.filter]: action.next };
      return extendHold({ ...merged, floors }, action.alarms);
    }
    case "changed":
      return merge(state, action.alarms);
    case "filter":
      return { ...state, filter: action.filter, heldIds: null };
    case "hold":
      return state.heldIds ? state : { ...state, heldIds: freeIds(state) };
    case "release":
      return state.heldIds ? { ...state, heldIds: null } : state;
    case "showWaiting":
      return state.heldIds ? { ...state, heldIds: freeIds(state) } : state;
    case "select":
      break;
  }
  return state.selectedId === action.id ? state : { ...state, selectedId: action.id };
}

function merge(state: AlarmListState, alarms: readonly Alarm[]): AlarmListState {
  if (alarms.length === 0) return state;
  const byId = new Map(state.byId);
  const added: string[] = [];
  for (const alarm of alarms) {
    const known = byId.get(alarm.id);
    if (known && known.version > alarm.version) continue;
    if (!known) added.push(alarm.id);
    byId.set(alarm.id, alarm);
  }
  if (added.length === 0) return { ...state, byId };
  added.sort(compareIdsDescending);
  const [newest] = state.order;
  const oldestAdded = added.at(-1);
  const isOnTop =
    newest === undefined || (oldestAdded !== undefined && compareIdsDescending(oldestAdded, newest) < 0);
  const order = [...added, ...state.order];
  return trim({ ...state, byId, order: isOnTop ? order : order.sort(compareIdsDescending) });
}

/** Forgets the oldest beyond the bound and remembers that they can be loaded again. */
function trim(state: AlarmListState): AlarmListState {
  if (state.order.length <= MAX_KNOWN) return state;
  const order = state.order.slice(0, MAX_KNOWN);
  const byId = new Map(order.map((id) => [id, state.byId.get(id) as Alarm]));
  const oldest = order.at(-1) ?? null;
  return { ...state, order, byId, floors: { new: oldest, all: oldest } };
}

/** Older rows that were asked for are shown below the held ones. */
function extendHold(state: AlarmListState, loaded: readonly Alarm[]): AlarmListState {
  if (!state.heldIds) return state;
  const bottom = state.heldIds.at(-1);
  const below = loaded
    .map((alarm) => alarm.id)
    .filter((id) => bottom === undefined || compareIdsDescending(bottom, id) < 0)
    .sort(compareIdsDescending);
  return { ...state, heldIds: [...state.heldIds, ...below] };
}

function freeIds(state: AlarmListState): string[] {
  const floor = state.floors[state.filter];
  return state.order.filter((id) => {
    if (floor && compareIdsDescending(floor, id) < 0) return false;
    return state.filter === "all" || state.byId.get(id)?.state === "new";
  });
}

/** What the list shows now, newest first. */
export function shownAlarms(state: AlarmListState): Alarm[] {
  const ids = state.heldIds ?? freeIds(state);
  return ids.map((id) => state.byId.get(id)).filter((alarm) => alarm !== undefined);
}

/** How many new rows wait behind the counter. */
export function waitingCount(state: AlarmListState): number {
  if (!state.heldIds) return 0;
  const newest = state.heldIds[0];
  return freeIds(state).filter((id) => newest === undefined || compareIdsDescending(id, newest) < 0).length;
}

/** The cursor for older rows, or null when the list is complete; undefined before the first page. */
export function olderThan(state: AlarmListState): string | null | undefined {
  return state.floors[state.filter];
}

/** The selection after one step down (1) or up (-1) the shown rows. */
export function stepSelection(state: AlarmListState, step: 1 | -1): string | null {
  const ids = shownAlarms(state).map((alarm) => alarm.id);
  const at = state.selectedId === null ? -1 : ids.indexOf(state.selectedId);
  if (at < 0) return (step === 1 ? ids[0] : ids.at(-1)) ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))] ?? null;
}

/** After the selected alarm was dealt with: the next older one that is still new, else the next newer one. */
export function nextNew(state: AlarmListState, fromId: string): string | null {
  const shown = shownAlarms(state);
  const at = shown.findIndex((alarm) => alarm.id === fromId);
  const isNew = (alarm: Alarm): boolean => alarm.state === "new" && alarm.id !== fromId;
  return (
    (shown.slice(at + 1).find(isNew) ?? shown.slice(0, Math.max(0, at)).reverse().find(isNew))?.id ?? null
  );
}

export interface OpenAlarm {
  /** The most urgent one's. */
  readonly priority: Priority;
  /** The newest one's. */
  readonly alarmId: string;
  readonly count: number;
}

const openByState = new WeakMap<AlarmListState, ReadonlyMap<string, OpenAlarm>>();

/** The unacknowledged alarms of each camera. Every tile asks, so it is counted once a state. */
export function openAlarms(state: AlarmListState): ReadonlyMap<string, OpenAlarm> {
  const known = openByState.get(state);
  if (known) return known;
  const open = countOpen(state);
  openByState.set(state, open);
  return open;
}

function countOpen(state: AlarmListState): Map<string, OpenAlarm> {
  const open = new Map<string, OpenAlarm>();
  for (const id of state.order) {
    const alarm = state.byId.get(id);
    if (alarm?.state !== "new" || alarm.cameraId === null) continue;
    const known = open.get(alarm.cameraId);
    const isMoreUrgent = !known || urgency(alarm.priority) < urgency(known.priority);
    open.set(alarm.cameraId, {
      priority: isMoreUrgent ? alarm.priority : known.priority,
      alarmId: known?.alarmId ?? alarm.id,
      count: (known?.count ?? 0) + 1,
    });
  }
  return open;
}
