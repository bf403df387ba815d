/** The calls of the API that the page makes, by name. */
import type {
  Alarm,
  AlarmMove,
  AlarmState,
  AnalyticsStatus,
  Camera,
  Rehearsal,
  RehearsalClip,
  RehearsalCreateBody,
  Rule,
  RuleCreateBody,
  SensorState,
  Series,
  Session,
  Zone,
  ZoneKind,
} from "@huishi/contracts";
import type { Point } from "@huishi/kernel";
import { request } from "./http.ts";
import { statisticsApi } from "./statistics-api.ts";

export interface ServerInfo {
  readonly version: string;
  readonly needsSetup: boolean;
  readonly serverTimeMs: number;
}
export interface ZoneDraft {
  readonly name: string;
  readonly kind: ZoneKind;
  readonly points: readonly Point[];
}

const BASE = "/api/v1";
const MOVE_PATHS: Readonly<Record<AlarmMove, string>> = {
  acknowledge: "acknowledge",
  falseAlarm: "false-alarm",
};
const id = encodeURIComponent;

export const api = {
  ...statisticsApi,
  server: (signal?: AbortSignal) => request<ServerInfo>(`${BASE}/server`, signal ? { signal } : {}),
  setUp: (body: { token: string; userName: string; password: string }) =>
    request<Session>(`${BASE}/setup`, { method: "POST", body }),
  signIn: (body: { userName: string; password: string }) =>
    request<Session>(`${BASE}/sign-in`, { method: "POST", body }),
  signOut: () => request<void>(`${BASE}/sign-out`, { method: "POST" }),
  session: () => request<Session>(`${BASE}/session`),
  cameras: () => request<{ cameras: Camera[] }>(`${BASE}/cameras`),
  zones: (cameraId: string) => request<{ zones: Zone[] }>(`${BASE}/cameras/${id(cameraId)}/zones`),
  createZone: (cameraId: string, body: ZoneDraft) =>
    request<Zone>(`${BASE}/cameras/${id(cameraId)}/zones`, { method: "POST", body }),
  updateZone: (zone: Pick<Zone, "id" | "name" | "version"> & { points: readonly Point[] }) => {
    const { id: zoneId, ...body } = zone;
    return request<Zone>(`${BASE}/zones/${id(zoneId)}`, { method: "PUT", body });
  },
  deleteZone: (zoneId: string) => request<void>(`${BASE}/zones/${id(zoneId)}`, { method: "DELETE" }),
  rules: (cameraId: string) => request<{ rules: Rule[] }>(`${BASE}/cameras/${id(cameraId)}/rules`),
  createRule: (cameraId: string, body: RuleCreateBody) =>
    request<Rule>(`${BASE}/cameras/${id(cameraId)}/rules`, { method: "POST", body }),
  updateRule: (ruleId: string, body: RuleCreateBody & { version: number }) =>
    request<Rule>(`${BASE}/rules/${id(ruleId)}`, { method: "PUT", body }),
  deleteRule: (ruleId: string) => request<void>(`${BASE}/rules/${id(ruleId)}`, { method: "DELETE" }),
  alarms: (query: { state?: AlarmState; before?: string; limit: number }) =>
    request<{ alarms: Alarm[]; next: string | null }>(
      `${BASE}/alarms?${new URLSearchParams(
        Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
      ).toString()}`,
    ),
  series: (sensorId: string, no: number, range: { fromMs: number; toMs: number; points: number }) => {
    const query = new URLSearchParams(Object.entries(range).map(([key, value]) => [key, String(value)]));
    return request<Series>(`${BASE}/sensors/${id(sensorId)}/datastreams/${no}/series?${query.toString()}`);
  },
  /** What the analytics processes say of themselves. */
  analytics: (signal: AbortSignal) => request<AnalyticsStatus>(`${BASE}/analytics`, { signal }),
  /** A page of sensors; `after` is the page's end before. */
  sensors: (after?: string) =>
    request<{ sensors: SensorState[]; next: string | null }>(
      `${BASE}/sensors?limit=500${after === undefined ? "" : `&after=${id(after)}`}`,
    ),
  rehearse: (body: RehearsalCreateBody) => request<Rehearsal>(`${BASE}/rehearsals`, { method: "POST", body }),
  rehearsal: (rehearsalId: string, signal: AbortSignal) =>
    request<Rehearsal>(`${BASE}/rehearsals/${id(rehearsalId)}`, { signal }),
  cancelRehearsal: (rehearsalId: string) =>
    request<Rehearsal>(`${BASE}/rehearsals/${id(rehearsalId)}`, { method: "DELETE" }),
  announceClip: (body: { cameraId: string; bytes: number }, signal: AbortSignal) =>
    request<RehearsalClip>(`${BASE}/rehearsals/clips`, { method: "POST", body, signal }),
  sendClipChunk: (clipId: string, no: number, chunk: { bytes: Blob; signal: AbortSignal }) =>
    request<RehearsalClip>(`${BASE}/rehearsals/clips/${id(clipId)}/chunks/${no}`, {
      method: "PUT",
      ...chunk,
    }),
  moveAlarm: (alarmId: string, move: AlarmMove) =>
    request<Alarm>(`${BASE}/alarms/${id(alarmId)}/${MOVE_PATHS[move]}`, { method: "POST", body: {} }),
};
export type Api = typeof api;

/** Where the deciding frame of an alarm is read. Never changes once it is there. */
export function snapshotUrl(alarmId: string): string {
  return `${BASE}/alarms/${id(alarmId)}/snapshot`;
}
