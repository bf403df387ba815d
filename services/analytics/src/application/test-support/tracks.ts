import type { Rule, Zone } from "@huishi/contracts";
import type { Track } from "../../domain/index.ts";
import type { AnalysedFrame, CameraPlan } from "../ports.ts";

export function track(id: number, fields: Partial<Track> = {}): Track {
  return {
    id,
    objectClass: "person",
    state: "confirmed",
    box: { x: 0.4, y: 0.3, w: 0.1, h: 0.2 },
    velocity: { x: 0, y: 0 },
    firstSeenMs: 0,
    lastSeenMs: 0,
    observations: 5,
    scoreMean: 0.8,
    lastScore: 0.9,
    stationarySinceMs: null,
    observed: true,
    ...fields,
  };
}

export function zone(fields: Partial<Zone> = {}): Zone {
  return {
    id: "zone-1",
    cameraId: "cam-1",
    name: "Crossing",
    kind: "polygon",
    points: [
      { x: 0.2, y: 0.2 },
      { x: 0.8, y: 0.2 },
      { x: 0.8, y: 0.8 },
      { x: 0.2, y: 0.8 },
    ],
    version: 1,
    ...fields,
  };
}

export function rule(fields: Partial<Rule> = {}): Rule {
  return {
    id: "rule-1",
    cameraId: "cam-1",
    zoneId: "zone-1",
    name: "Nobody on the crossing",
    kind: "intrusion",
    alarmClass: "intrusion",
    classes: ["person"],
    minScore: 0.4,
    persistenceMs: 1_000,
    exitMs: 1_000,
    dedupeMs: 60_000,
    threshold: 0,
    direction: "both",
    priority: "P2",
    enabled: true,
    schedule: null,
    version: 1,
    ...fields,
  };
}

export function plan(fields: Partial<CameraPlan> = {}): CameraPlan {
  return {
    cameraId: "cam-1",
    cameraNo: 7,
    profiles: ["main", "sub"],
    zones: [zone()],
    rules: [rule()],
    ...fields,
  };
}

export function frame(capturedAtMs: number, fields: Partial<AnalysedFrame> = {}): AnalysedFrame {
  return { cameraId: "cam-1", session: 1, capturedAtMs, tracks: [], ended: [], stageMs: {}, ...fields };
}
