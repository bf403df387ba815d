import {
  AgentSchema,
  AlarmMoveRecordSchema,
  AlarmSchema,
  BoxSchema,
  CameraSchema,
  CameraStreamSchema,
  ClaimCodeSchema,
  DeadLetterSchema,
  EvidenceBoxSchema,
  LineCountsSchema,
  PointSchema,
  RuleSchema,
  ScheduleSchema,
  SessionSchema,
  ZoneSchema,
} from "@huishi/contracts";

/** The contracts' schemas that the document names once instead of repeating them. */
const NAMED: Readonly<Record<string, object>> = {
  Agent: AgentSchema,
  Alarm: AlarmSchema,
  AlarmMoveRecord: AlarmMoveRecordSchema,
  Box: BoxSchema,
  Camera: CameraSchema,
  CameraStream: CameraStreamSchema,
  ClaimCode: ClaimCodeSchema,
  DeadLetter: DeadLetterSchema,
  EvidenceBox: EvidenceBoxSchema,
  LineCounts: LineCountsSchema,
  Point: PointSchema,
  Rule: RuleSchema,
  Schedule: ScheduleSchema,
  Session: SessionSchema,
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
