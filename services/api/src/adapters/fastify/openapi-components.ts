import {
  AgentSchema,
  AlarmMoveRecordSchema,
  AlarmSchema,
  AnalysedCameraSchema,
  AnalyticsProcessSchema,
  AreaSchema,
  BoxSchema,
  CameraSchema,
  CameraStateSchema,
  CameraStreamSchema,
  ClaimCodeSchema,
  CountPointSchema,
  CountsSchema,
  DatastreamStateSchema,
  DeadLetterSchema,
  DetectionSchema,
  DeviceFactsSchema,
  DeviceEventSchema,
  DeviceRecordSchema,
  EvidenceBoxSchema,
  GeoPositionSchema,
  GroundPairSchema,
  GroundPlaneSchema,
  HeatMapSchema,
  LegalHoldSchema,
  LineCountsSchema,
  PointSchema,
  RehearsalClipSchema,
  RehearsalSchema,
  RehearsalSubjectSchema,
  RehearsedAlarmSchema,
  RetentionPolicySchema,
  RuleSchema,
  ScheduleSchema,
  SensorStateSchema,
  SeriesGapSchema,
  SeriesPointSchema,
  SeriesSchema,
  SessionSchema,
  SignPhotoSchema,
  SiteCategorySchema,
  StoreSchema,
  TrackSchema,
  ZoneSchema,
} from "@huishi/contracts";

/** The contracts' schemas that the document names once instead of repeating them. */
const NAMED: Readonly<Record<string, object>> = {
  Agent: AgentSchema,
  AlarmMoveRecord: AlarmMoveRecordSchema,
  Alarm: AlarmSchema,
  AnalysedCamera: AnalysedCameraSchema,
  AnalyticsProcess: AnalyticsProcessSchema,
  Area: AreaSchema,
  Box: BoxSchema,
  Camera: CameraSchema,
  CameraState: CameraStateSchema,
  CameraStream: CameraStreamSchema,
  ClaimCode: ClaimCodeSchema,
  CountPoint: CountPointSchema,
  Counts: CountsSchema,
  DatastreamState: DatastreamStateSchema,
  DeadLetter: DeadLetterSchema,
  Detection: DetectionSchema,
  DeviceEvent: DeviceEventSchema,
  DeviceFacts: DeviceFactsSchema,
  DeviceRecord: DeviceRecordSchema,
  EvidenceBox: EvidenceBoxSchema,
  GeoPosition: GeoPositionSchema,
  GroundPair: GroundPairSchema,
  GroundPlane: GroundPlaneSchema,
  HeatMap: HeatMapSchema,
  LegalHold: LegalHoldSchema,
  LineCounts: LineCountsSchema,
  Point: PointSchema,
  RehearsalClip: RehearsalClipSchema,
  RehearsalSubject: RehearsalSubjectSchema,
  RehearsedAlarm: RehearsedAlarmSchema,
  Rehearsal: RehearsalSchema,
  RetentionPolicy: RetentionPolicySchema,
  Rule: RuleSchema,
  Schedule: ScheduleSchema,
  SensorState: SensorStateSchema,
  SeriesGap: SeriesGapSchema,
  SeriesPoint: SeriesPointSchema,
  Series: SeriesSchema,
  Session: SessionSchema,
  SignPhoto: SignPhotoSchema,
  SiteCategory: SiteCategorySchema,
  Store: StoreSchema,
  Track: TrackSchema,
  Zone: ZoneSchema,
};

interface Document {
  components?: { schemas?: Record<string, unknown> };
}

/** Replaces every copy of a named schema by a reference, and adds the named schemas as components. */
export function nameComponents<T extends object>(document: T): T {
  const nameOf = new Map(Object.entries(NAMED).map(([name, schema]) => [canonical(schema), name]));
  const refer = (node: unknown, isTop: boolean): unknown => {
    if (node === null || typeof node !== "object") return node;
    const name = isTop ? undefined : nameOf.get(canonical(node));
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
    if (Array.isArray(node)) return node.map((item) => refer(item, false));
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, refer(item, false)]));
  };
  const referred = refer(document, true) as T & Document;
  const named = Object.fromEntries(
    Object.entries(NAMED).map(([name, schema]) => [name, refer(schema, true)]),
  );
  referred.components = {
    ...referred.components,
    schemas: { ...referred.components?.schemas, ...named },
  };
  return referred;
}

/** JSON with its keys in order, and `const` as the `enum` that swagger writes: equal schemas give equal text. */
function canonical(node: unknown): string {
  return JSON.stringify(node, (_key, value: unknown) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([key, item]) =>
      key === "const" ? ["enum", [item]] : [key, item],
    );
    return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))) as unknown;
  });
}
