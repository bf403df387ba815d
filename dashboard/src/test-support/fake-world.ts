/** What the fake server serves: a few cameras, zones, rules and alarms of the real shapes. */
import { type Alarm, type Camera, RULE_DEFAULTS, type Rule, type Zone } from "@huishi/contracts";

export function fakeCamera(id: string, name: string, change: Partial<Camera> = {}): Camera {
  return {
    id,
    agentId: "edge-1",
    name,
    manufacturer: "Huishi",
    model: "Simulated",
    serial: id,
    address: "192.0.2.10:80",
    streams: [
      { profile: "main", codec: "h264", width: 1280, height: 720, fps: 25 },
      { profile: "sub", codec: "h264", width: 640, height: 360, fps: 25 },
    ],
    ptz: false,
    note: null,
    condition: "online",
    conditionCode: null,
    conditionSinceMs: null,
    faults: [],
    measured: [],
    agentOnline: true,
    areaId: null,
    version: 1,
    ...change,
  };
}

export function fakePolygon(id: string, cameraId: string, name: string): Zone {
  const points = [
    { x: 0.3, y: 0.35 },
    { x: 0.72, y: 0.35 },
    { x: 0.82, y: 0.9 },
    { x: 0.2, y: 0.9 },
  ];
  return { id, cameraId, name, kind: "polygon", points, version: 1 };
}

export function fakeLine(id: string, cameraId: string, name: string): Zone {
  const points = [
    { x: 0.1, y: 0.62 },
    { x: 0.92, y: 0.5 },
  ];
  return { id, cameraId, name, kind: "line", points, version: 1 };
}

export function fakeRule(id: string, zone: Zone, change: Partial<Rule> = {}): Rule {
  const kind = zone.kind === "line" ? "line_crossing" : "intrusion";
  return {
    id,
    cameraId: zone.cameraId,
    zoneId: zone.id,
    name: zone.name,
    kind,
    classes: ["person"],
    direction: "both",
    enabled: true,
    schedule: null,
    ...RULE_DEFAULTS[kind],
    version: 1,
    ...change,
  };
}

export function fakeAlarm(id: string, camera: Camera, change: Partial<Alarm> = {}): Alarm {
  const nowMs = Date.now();
  return {
    id,
    cameraId: camera.id,
    cameraName: camera.name,
    sensorId: null,
    sensorName: null,
    measured: null,
    endedAtMs: null,
    ruleId: "rule-1",
    ruleName: "Nobody on the crossing",
    zoneId: null,
    zoneName: null,
    zonePoints: null,
    zoneKind: null,
    alarmClass: "intrusion",
    objectClass: "person",
    priority: "P2",
    state: "new",
    capturedAtMs: nowMs - 400,
    startedAtMs: nowMs - 3_400,
    createdAtMs: nowMs,
    lastOccurredAtMs: nowMs,
    occurrences: 1,
    boxes: [
      {
        trackId: "7",
        objectClass: "person",
        score: 0.87,
        box: { x: 0.46, y: 0.38, w: 0.09, h: 0.36 },
        deciding: true,
      },
      {
        trackId: "9",
        objectClass: "person",
        score: 0.62,
        box: { x: 0.78, y: 0.3, w: 0.06, h: 0.24 },
        deciding: false,
      },
    ],
    hasSnapshot: true,
    acknowledgedBy: null,
    acknowledgedAtMs: null,
    version: 1,
    ...change,
  };
}
