import type { CopyColumn, CopyType } from "../postgres/binary-copy.ts";

/** Columns of the series as writers fill them, in the order of their rows (migration 0004). */
const columns = (spec: Readonly<Record<string, CopyType>>): readonly CopyColumn[] =>
  Object.entries(spec).map(([name, type]) => ({ name, type }));

/** Lags are milliseconds against `captured_at`, clamped to 32 bits (24 days). */
export const OBSERVATION_COLUMNS = columns({
  captured_at: "timestamptz",
  value: "float8",
  seq: "int8",
  datastream_no: "int4",
  source_no: "int4",
  agent_lag_ms: "int4",
  ingest_lag_ms: "int4",
});

export const EDGE_EVENT_COLUMNS = columns({
  captured_at: "timestamptz",
  agent_at: "timestamptz",
  ingested_at: "timestamptz",
  seq: "int8",
  source_no: "int4",
  type_code: "int2",
  subject_id: "text",
  traceparent: "text",
  body: "jsonb",
});

/** Fractions are scaled by 10000. */
export const DETECTION_COLUMNS = columns({
  captured_at: "timestamptz",
  track_id: "int8",
  camera_no: "int4",
  class_code: "int2",
  score: "int2",
  x: "int2",
  y: "int2",
  w: "int2",
  h: "int2",
});

export const LINE_CROSSING_COLUMNS = columns({
  crossed_at: "timestamptz",
  track_id: "int8",
  camera_no: "int4",
  class_code: "int2",
  left_to_right: "bool",
  rule_id: "text",
});
