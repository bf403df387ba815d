/** What the wall knows, kept fresh by the socket: lists are read once after `welcome`, then changes in order. */
import type { Alarm, Camera, Change, Rule, SceneFrame, Zone } from "@huishi/contracts";
import type { Api } from "../api/api.ts";
import { SceneTimeline } from "../overlay/scene-timeline.ts";
import { createStore, type Store } from "../store.ts";
import {
  type AlarmFilter,
  type AlarmListState,
  EMPTY_ALARM_LIST,
  olderThan,
  reduceAlarmList,
} from "./alarm-list.ts";

export interface LineCount {
  readonly leftToRight: number;
  readonly rightToLeft: number;
}

/** Open alarms decide frames of tiles, so as many as the API gives at once are read. */
const NEW_PAGE = 500;
const PAGE = 100;
const ALARM_PAUSE_MS = 100;
const byName = (a: Camera, b: Camera): number =>
  a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.id < b.id ? -1 : 1);

export class Operations {
  readonly cameras: Store<readonly Camera[]> = createStore<readonly Camera[]>([]);
  readonly zones: Store<readonly Zone[]> = createStore<readonly Zone[]>([]);
  readonly rules: Store<readonly Rule[]> = createStore<readonly Rule[]>([]);
  readonly alarms: Store<AlarmListState> = createStore(EMPTY_ALARM_LIST);
  readonly lineCounts: Store<ReadonlyMap<string, LineCount>> = createStore<ReadonlyMap<string, LineCount>>(
    new Map(),
  );
  /** False until the lists were read for the first time. */
  readonly loaded: Store<boolean> = createStore<boolean>(false);
  /** The first failure of reading the lists, until a later reading worked. */
  readonly loadError: Store<unknown> = createStore<unknown>(null);
  readonly #api: Api;
  readonly #onNewAlarms: (alarms: readonly Alarm[]) => void;
  readonly #timelines = new Map<string, SceneTimeline>();
  #pending: Change[] | null = null;
  #alarmQueue: Alarm[] = [];
  #alarmTimer: ReturnType<typeof setTimeout> | null = null;
  #loading: Promise<void> | null = null;

  constructor(api: Api, onNewAlarms: (alarms: readonly Alarm[]) => void) {
    this.#api = api;
    this.#onNewAlarms = onNewAlarms;
  }

  /** Reads all lists. Changes that come meanwhile are applied after them, so none is lost or undone. */
  reload(): Promise<void> {
    this.#pending ??= [];
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
      const missed = this.#pending ?? [];
      this.#pending = null;
      this.apply(missed);
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      const [{ cameras }, fresh, all] = await Promise.all([
        this.#api.cameras(),
        this.#api.alarms({ state: "new", limit: NEW_PAGE }),
        this.#api.alarms({ limit: PAGE }),
      ]);
      const perCamera = await Promise.all(
        cameras.map(async ({ id }) => ({ ...(await this.#api.zones(id)), ...(await this.#api.rules(id)) })),
      );
      this.cameras.set([...cameras].sort(byName));
      this.zones.set(perCamera.flatMap(({ zones }) => zones));
      this.rules.set(perCamera.flatMap(({ rules }) => rules));
      this.alarms.update((state) =>
        [
          { type: "reset" } as const,
          { type: "page", filter: "new", ...fresh } as const,
          { type: "page", filter: "all", ...all } as const,
        ].reduce(reduceAlarmList, state),
      );
      this.loadError.set(null);
      this.loaded.set(true);
    } catch (thrown) {
      this.loadError.set(thrown);
    }
  }

  /** Older rows of the shown filter. */
  async loadOlder(): Promise<void> {
    const state = this.alarms.get();
    const before = olderThan(state);
    if (!before) return;
    const filter: AlarmFilter = state.filter;
    const page = await this.#api.alarms({
      ...(filter === "new" ? { state: "new" as const } : {}),
      before,
      limit: PAGE,
    });
    this.alarms.update((current) => reduceAlarmList(current, { type: "page", filter, ...page }));
  }

  apply(changes: readonly Change[]): void {
    if (this.#pending) {
      this.#pending.push(...changes);
      return;
    }
    const alarms: Alarm[] = [];
    for (const change of changes) {
      if (change.kind === "alarm") alarms.push(change.alarm);
      else if (change.kind === "camera")
        this.cameras.update((list) => [...without(list, change.camera.id), change.camera].sort(byName));
      else if (change.kind === "zone") this.putZone(change.zone);
      else if (change.kind === "rule") this.putRule(change.rule);
      else this.#delete(change.what, change.id);
    }
    this.#alarmQueue.push(...alarms);
    this.#flushAlarms();
  }

  /** At once after a quiet moment; in a flood ten times a second, for each time costs a list and its paint. */
  #flushAlarms(): void {
    if (this.#alarmQueue.length === 0 || this.#alarmTimer !== null) return;
    const alarms = this.#alarmQueue;
    this.#alarmQueue = [];
    this.#alarmTimer = setTimeout(() => {
      this.#alarmTimer = null;
      this.#flushAlarms();
    }, ALARM_PAUSE_MS);
    this.putAlarms(alarms);
  }

  putAlarms(alarms: readonly Alarm[]): void {
    const known = this.alarms.get().byId;
    const fresh = alarms.filter((alarm) => alarm.state === "new" && !known.has(alarm.id));
    this.alarms.update((state) => reduceAlarmList(state, { type: "changed", alarms }));
    if (fresh.length > 0) this.#onNewAlarms(fresh);
  }

  /** Takes a zone that the server has just answered with, or told of; never an older version. */
  putZone(zone: Zone): void {
    this.zones.update((list) => (isOlder(list, zone) ? list : upsert(list, zone)));
  }

  putRule(rule: Rule): void {
    this.rules.update((list) => (isOlder(list, rule) ? list : upsert(list, rule)));
  }

  removeZone(zoneId: string): void {
    this.zones.update((list) => without(list, zoneId));
    this.rules.update((list) => list.filter((rule) => rule.zoneId !== zoneId));
  }

  removeRule(ruleId: string): void {
    this.rules.update((list) => without(list, ruleId));
  }

  #delete(what: "camera" | "zone" | "rule", id: string): void {
    if (what === "camera") this.cameras.update((list) => without(list, id));
    else if (what === "zone") this.removeZone(id);
    else this.removeRule(id);
  }

  scene(scene: SceneFrame): void {
    this.timeline(scene.cameraId).add(scene);
    if (!scene.lineCounts) return;
    const known = this.lineCounts.get();
    const changed = Object.entries(scene.lineCounts).filter(([ruleId, count]) => {
      const before = known.get(ruleId);
      return before?.leftToRight !== count.leftToRight || before.rightToLeft !== count.rightToLeft;
    });
    if (changed.length > 0) this.lineCounts.set(new Map([...known, ...changed]));
  }

  /** The boxes of one camera by capture time. */
  timeline(cameraId: string): SceneTimeline {
    const timeline = this.#timelines.get(cameraId) ?? new SceneTimeline();
    this.#timelines.set(cameraId, timeline);
    return timeline;
  }
}

interface Versioned {
  readonly id: string;
  readonly version: number;
}
const without = <T extends { readonly id: string }>(list: readonly T[], id: string): T[] =>
  list.filter((element) => element.id !== id);
const isOlder = (list: readonly Versioned[], element: Versioned): boolean =>
  (list.find(({ id }) => id === element.id)?.version ?? 0) > element.version;
const upsert = <T extends Versioned>(list: readonly T[], element: T): T[] =>
  list.some(({ id }) => id === element.id)
    ? list.map((known) => (known.id === element.id ? element : known))
    : [...list, element];
