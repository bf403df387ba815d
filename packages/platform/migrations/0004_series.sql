-- The series themselves: narrow typed rows (codes, integers scaled by 10000), one index that also settles what comes
-- twice. Needs 0003's machinery.

-- A start of an agent's outbox, as a narrow number.
CREATE TABLE event_source (
  no        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_id  text NOT NULL,
  boot      text NOT NULL,
  UNIQUE (agent_id, boot)
);

CREATE TABLE area (
  id         text PRIMARY KEY,                 -- e.g. the 15 digits of a unit grid
  name       text NOT NULL,
  parent_id  text REFERENCES area (id),
  version    integer NOT NULL DEFAULT 1
);
ALTER TABLE camera ADD COLUMN area_id text REFERENCES area (id);
CREATE INDEX camera_area ON camera (area_id);
ALTER TABLE zone ADD COLUMN no integer GENERATED ALWAYS AS IDENTITY UNIQUE;  -- narrow key of visits

CREATE TABLE sensor (
  id               text PRIMARY KEY,
  agent_id         text NOT NULL REFERENCES agent (id),
  name             text NOT NULL,
  name_by_person   boolean NOT NULL DEFAULT false,
  manufacturer     text,
  model            text,
  serial           text,
  area_id          text REFERENCES area (id),
  condition        text NOT NULL DEFAULT 'online',
  condition_code   text,
  condition_since  timestamptz,
  condition_at     timestamptz,
  described_at     timestamptz,
  version          integer NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT now()
);

-- OGC SensorThings: the observations of one property by one sensor in one unit.
CREATE TABLE datastream (
  no                    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sensor_id             text NOT NULL REFERENCES sensor (id) ON DELETE CASCADE,
  observed_property     text NOT NULL,
  unit                  text NOT NULL,
  expected_interval_ms  integer,
  last_value            double precision,
  last_at               timestamptz,
  last_ingested_at      timestamptz,
  UNIQUE (sensor_id, observed_property, unit)
) WITH (fillfactor = 70);

-- Capture times of the last words on it: what comes late from an outbox changes nothing newer.
ALTER TABLE camera ADD COLUMN condition_at timestamptz;
ALTER TABLE camera ADD COLUMN described_at timestamptz;

SELECT huishi_store.create_series('observation', '
  captured_at    timestamptz NOT NULL,
  value          double precision NOT NULL,
  seq            bigint NOT NULL,
  datastream_no  integer NOT NULL,
  source_no      integer NOT NULL,
  agent_lag_ms   integer NOT NULL,             -- agent time minus capture time
  ingest_lag_ms  integer NOT NULL              -- ingest time minus capture time', 'captured_at', interval '1 day');
CREATE UNIQUE INDEX observation_once ON observation (datastream_no, captured_at, source_no, seq);

-- Every other event of the field. What has a row of its own elsewhere (objects of a frame) keeps no body here.
ALTER TABLE edge_event RENAME TO edge_event_before;
ALTER INDEX edge_event_pkey RENAME TO edge_event_before_pkey;
ALTER INDEX edge_event_subject RENAME TO edge_event_before_subject;
SELECT huishi_store.create_series('edge_event', '
  captured_at  timestamptz NOT NULL,
  agent_at     timestamptz NOT NULL,
  ingested_at  timestamptz NOT NULL DEFAULT now(),
  seq          bigint NOT NULL,
  source_no    integer NOT NULL,
  type_code    smallint NOT NULL,              -- contracts: EVENT_TYPES
  subject_id   text NOT NULL,                  -- camera, sensor, or the agent itself
  traceparent  text,
  body         jsonb', 'captured_at', interval '7 days');
CREATE UNIQUE INDEX edge_event_once ON edge_event (source_no, seq, captured_at);
CREATE INDEX edge_event_subject ON edge_event (subject_id, captured_at DESC);

-- One object in one frame: 60 bytes, 28 in the index.
ALTER TABLE detection RENAME TO detection_before;
ALTER INDEX detection_camera_time RENAME TO detection_before_camera_time;
SELECT huishi_store.create_series('detection', '
  captured_at  timestamptz NOT NULL,
  track_id     bigint NOT NULL,                -- negative: a track of the edge, see docs/storage.md
  camera_no    integer NOT NULL,
  class_code   smallint NOT NULL,
  score        smallint NOT NULL,
  x            smallint NOT NULL,
  y            smallint NOT NULL,
  w            smallint NOT NULL,
  h            smallint NOT NULL', 'captured_at', interval '1 day', 'camera_no');
CREATE INDEX detection_camera_time ON detection (camera_no, captured_at DESC);

ALTER TABLE track RENAME TO track_before;
ALTER INDEX track_pkey RENAME TO track_before_pkey;
ALTER INDEX track_camera_time RENAME TO track_before_camera_time;
SELECT huishi_store.create_series('track', '
  first_seen_at  timestamptz NOT NULL,
  last_seen_at   timestamptz NOT NULL,
  id             bigint NOT NULL,
  camera_no      integer NOT NULL,
  observations   integer NOT NULL,
  class_code     smallint NOT NULL,
  score          smallint NOT NULL,            -- mean, scaled by 10000
  heading_deg    smallint,                     -- first to last point in the picture: 0 up, 90 right; null: it stayed
  path           jsonb NOT NULL,               -- up to 64 points [msSinceFirstSeen, x, y], x and y scaled by 10000
  PRIMARY KEY (id, first_seen_at)', 'first_seen_at', interval '7 days', 'camera_no');
CREATE INDEX track_camera_time ON track (camera_no, first_seen_at DESC, id DESC);
CREATE INDEX track_class_time ON track (class_code, first_seen_at DESC, id DESC);
CREATE INDEX track_time ON track (first_seen_at DESC, id DESC);

-- When a track was inside a zone, as the zone stood when the track ended.
SELECT huishi_store.create_series('zone_visit', '
  entered_at  timestamptz NOT NULL,
  left_at     timestamptz NOT NULL,
  track_id    bigint NOT NULL,
  zone_no     integer NOT NULL,
  camera_no   integer NOT NULL,
  class_code  smallint NOT NULL,
  PRIMARY KEY (zone_no, track_id, entered_at)', 'entered_at', interval '7 days', 'camera_no');
CREATE INDEX zone_visit_zone_time ON zone_visit (zone_no, entered_at DESC, track_id DESC);

ALTER TABLE line_crossing RENAME TO line_crossing_before;
ALTER INDEX line_crossing_rule_time RENAME TO line_crossing_before_rule_time;
SELECT huishi_store.create_series('line_crossing', '
  crossed_at     timestamptz NOT NULL,
  track_id       bigint NOT NULL,
  camera_no      integer NOT NULL,
  class_code     smallint NOT NULL,
  left_to_right  boolean NOT NULL,
  rule_id        text NOT NULL', 'crossed_at', interval '7 days', 'camera_no');
CREATE INDEX line_crossing_rule_time ON line_crossing (rule_id, crossed_at DESC);
CREATE INDEX line_crossing_track ON line_crossing (track_id, crossed_at DESC);

DO $$
DECLARE v_series text;
BEGIN
  FOR v_series IN SELECT name FROM series LOOP PERFORM huishi_store.keep_partitions(v_series); END LOOP;
END $$;

INSERT INTO event_source (agent_id, boot) SELECT DISTINCT agent_id, boot FROM edge_event_before;
-- Agents that only sent observations so far have their sensors here.
INSERT INTO sensor (id, agent_id, name)
SELECT DISTINCT ON (subject_id) subject_id, agent_id, subject_id FROM edge_event_before WHERE type = 'observation';
INSERT INTO datastream (sensor_id, observed_property, unit)
SELECT DISTINCT subject_id, body ->> 'observedProperty', body ->> 'unit' FROM edge_event_before WHERE type = 'observation';
INSERT INTO observation (captured_at, value, seq, datastream_no, source_no, agent_lag_ms, ingest_lag_ms)
SELECT e.captured_at, (e.body ->> 'value')::double precision, e.seq, d.no, s.no,
       least(greatest(extract(epoch FROM e.agent_at - e.captured_at) * 1000, -2147483648), 2147483647)::integer,
       least(greatest(extract(epoch FROM e.ingested_at - e.captured_at) * 1000, -2147483648), 2147483647)::integer
FROM edge_event_before AS e
JOIN event_source AS s ON s.agent_id = e.agent_id AND s.boot = e.boot
JOIN datastream AS d ON d.sensor_id = e.subject_id AND d.observed_property = e.body ->> 'observedProperty' AND d.unit = e.body ->> 'unit'
WHERE e.type = 'observation';
INSERT INTO edge_event (captured_at, agent_at, ingested_at, seq, source_no, type_code, subject_id, traceparent, body)
SELECT e.captured_at, e.agent_at, e.ingested_at, e.seq, s.no,
       CASE e.type WHEN 'camera_inventory' THEN 1 WHEN 'camera_health' THEN 2 WHEN 'camera_motion' THEN 3 ELSE 5 END,
       e.subject_id, e.body ->> 'traceparent', e.body
FROM edge_event_before AS e JOIN event_source AS s ON s.agent_id = e.agent_id AND s.boot = e.boot
WHERE e.type <> 'observation';
INSERT INTO detection (captured_at, track_id, camera_no, class_code, score, x, y, w, h)
SELECT captured_at, track_id, camera_no, class_code, score, x, y, w, h FROM detection_before;
INSERT INTO track (first_seen_at, last_seen_at, id, camera_no, observations, class_code, score, path)
SELECT first_seen_at, last_seen_at, id, camera_no, observations, class_code, score, path FROM track_before;
INSERT INTO line_crossing (crossed_at, track_id, camera_no, class_code, left_to_right, rule_id)
SELECT crossed_at, track_id, camera_no, class_code, left_to_right, rule_id FROM line_crossing_before;
DROP TABLE edge_event_before, detection_before, track_before, line_crossing_before;

SELECT huishi_store.compress_series('observation', 'datastream_no', 'captured_at DESC, source_no, seq', interval '9 days');
SELECT huishi_store.compress_series('edge_event', 'source_no', 'captured_at DESC, seq', interval '9 days');
SELECT huishi_store.compress_series('detection', 'camera_no', 'captured_at DESC, track_id', interval '9 days');
SELECT huishi_store.compress_series('zone_visit', 'zone_no', 'entered_at DESC, track_id', interval '16 days');
SELECT huishi_store.compress_series('line_crossing', 'rule_id', 'crossed_at DESC', interval '16 days');

-- Sums. `score_sum` and `value_sum` give means over any range.
SELECT huishi_store.create_rollup('detection_minute', 'detection', '1 minute', 'camera_no, class_code',
  'camera_no integer, class_code smallint', 'count(*) AS detections, sum(score)::bigint AS score_sum', 'detections bigint, score_sum bigint');
SELECT huishi_store.create_rollup('detection_hour', 'detection', '1 hour', 'camera_no, class_code',
  'camera_no integer, class_code smallint', 'sum(detections)::bigint AS detections, sum(score_sum)::bigint AS score_sum',
  'detections bigint, score_sum bigint', 'detection_minute');
SELECT huishi_store.create_rollup('detection_camera_minute', 'detection', '1 minute', 'camera_no', 'camera_no integer',
  'sum(detections)::bigint AS detections', 'detections bigint', 'detection_minute');
SELECT huishi_store.create_rollup('detection_class_minute', 'detection', '1 minute', 'class_code', 'class_code smallint',
  'sum(detections)::bigint AS detections', 'detections bigint', 'detection_minute');
-- Where objects stood: foot points in a grid of 32 x 18 cells over the picture, row by row.
SELECT huishi_store.create_rollup('heat_hour', 'detection', '1 hour', 'camera_no, class_code, cell',
  'camera_no integer, class_code smallint, cell smallint', 'count(*) AS detections', 'detections bigint', NULL,
  'camera_no, class_code, (least(y + h, 9999) * 18 / 10000 * 32 + least(x + w / 2, 9999) * 32 / 10000)::smallint AS cell');
SELECT huishi_store.create_rollup('track_minute', 'track', '1 minute', 'camera_no, class_code',
  'camera_no integer, class_code smallint', 'count(*) AS tracks', 'tracks bigint');
SELECT huishi_store.create_rollup('track_hour', 'track', '1 hour', 'camera_no, class_code',
  'camera_no integer, class_code smallint', 'sum(tracks)::bigint AS tracks', 'tracks bigint', 'track_minute');
SELECT huishi_store.create_rollup('zone_minute', 'zone_visit', '1 minute', 'zone_no, class_code',
  'zone_no integer, class_code smallint', 'count(*) AS visits, sum(extract(epoch FROM left_at - entered_at) * 1000)::bigint AS dwell_ms_sum',
  'visits bigint, dwell_ms_sum bigint');
SELECT huishi_store.create_rollup('zone_hour', 'zone_visit', '1 hour', 'zone_no, class_code',
  'zone_no integer, class_code smallint', 'sum(visits)::bigint AS visits, sum(dwell_ms_sum)::bigint AS dwell_ms_sum',
  'visits bigint, dwell_ms_sum bigint', 'zone_minute');
SELECT huishi_store.create_rollup('line_minute', 'line_crossing', '1 minute', 'rule_id, class_code, left_to_right',
  'rule_id text, class_code smallint, left_to_right boolean', 'count(*) AS crossings', 'crossings bigint');
SELECT huishi_store.create_rollup('line_hour', 'line_crossing', '1 hour', 'rule_id, class_code, left_to_right',
  'rule_id text, class_code smallint, left_to_right boolean', 'sum(crossings)::bigint AS crossings', 'crossings bigint', 'line_minute');
SELECT huishi_store.create_rollup('observation_minute', 'observation', '1 minute', 'datastream_no', 'datastream_no integer',
  'count(*) AS n, sum(value) AS value_sum, min(value) AS value_min, max(value) AS value_max',
  'n bigint, value_sum double precision, value_min double precision, value_max double precision');
SELECT huishi_store.create_rollup('observation_hour', 'observation', '1 hour', 'datastream_no', 'datastream_no integer',
  'sum(n)::bigint AS n, sum(value_sum) AS value_sum, min(value_min) AS value_min, max(value_max) AS value_max',
  'n bigint, value_sum double precision, value_min double precision, value_max double precision', 'observation_minute');

DO $$
DECLARE v_series text;
BEGIN
  FOR v_series IN SELECT name FROM series LOOP PERFORM huishi_store.keep_partitions(v_series); END LOOP;
END $$;

-- Figures to start from; a city sets its own with its own basis (domain: minimum for mandated places, maximum elsewhere).
INSERT INTO retention_policy (dataset, min_age, max_age, basis) VALUES
  ('detection', '30 days', '90 days', 'default: as long as video of mandated public places, then no longer than needed'),
  ('track', '30 days', '90 days', 'default: as detections'),
  ('zone_visit', '30 days', '400 days', 'default: statistics of a year, no identity'),
  ('line_crossing', '30 days', '400 days', 'default: statistics of a year, no identity'),
  ('observation', '30 days', '400 days', 'default: sensor values of a year'),
  ('edge_event', '180 days', '400 days', 'default: logs at least six calendar months'),
  ('dead_letter', '30 days', '90 days', 'default: long enough to mend and replay'),
  ('minute', '30 days', '400 days', 'default: sums by the minute, no identity'),
  ('hour', '30 days', '1830 days', 'default: sums by the hour, no identity');

-- Dead letters say what they were, can be given again, and show what became of it.
ALTER TABLE dead_letter ADD COLUMN boot text;                    -- null: the whole message, else one event of it
ALTER TABLE dead_letter ADD COLUMN truncated boolean NOT NULL DEFAULT false;
ALTER TABLE dead_letter ADD COLUMN state text NOT NULL DEFAULT 'kept'
  CHECK (state IN ('kept', 'requested', 'replayed', 'refused', 'dismissed'));
ALTER TABLE dead_letter ADD COLUMN state_by text;
ALTER TABLE dead_letter ADD COLUMN state_at timestamptz;
ALTER TABLE dead_letter ADD COLUMN outcome text;
CREATE INDEX dead_letter_requested ON dead_letter (id) WHERE state = 'requested';
