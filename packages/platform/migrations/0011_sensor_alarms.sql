-- Alarms that a sensor's threshold decided at the edge. An alarm belongs to a camera or to a sensor, never to both; the
-- camera that looks at a sensor is only named.
ALTER TABLE sensor ADD COLUMN camera_id text;          -- as its agent says; may be no camera (yet)

ALTER TABLE alarm ALTER COLUMN camera_id DROP NOT NULL;
ALTER TABLE alarm
  ADD COLUMN sensor_id         text REFERENCES sensor (id) ON DELETE CASCADE,
  ADD COLUMN threshold_id      text,
  ADD COLUMN observed_property text,
  ADD COLUMN unit              text,
  ADD COLUMN value             double precision,       -- of the latest raise
  ADD COLUMN limit_value       double precision,
  ADD COLUMN view_camera_id    text REFERENCES camera (id) ON DELETE SET NULL,
  ADD COLUMN ended_at          timestamptz,            -- the value came back; null while it holds, and for cameras
  ADD CONSTRAINT alarm_of_camera_or_sensor CHECK ((camera_id IS NULL) <> (sensor_id IS NULL)),
  ADD CONSTRAINT alarm_of_sensor_measured CHECK (sensor_id IS NULL OR
    (threshold_id IS NOT NULL AND observed_property IS NOT NULL AND unit IS NOT NULL
     AND value IS NOT NULL AND limit_value IS NOT NULL));
-- The latest alarm of a threshold decides whether the next raise is counted on it.
CREATE INDEX alarm_sensor ON alarm (sensor_id, threshold_id, id DESC) WHERE sensor_id IS NOT NULL;
CREATE INDEX alarm_view_camera ON alarm (view_camera_id, id DESC) WHERE view_camera_id IS NOT NULL;

-- The last word on each threshold by the time of capture: an outbox may bring a raise after its end.
CREATE TABLE sensor_threshold (
  sensor_id    text NOT NULL REFERENCES sensor (id) ON DELETE CASCADE,
  threshold_id text NOT NULL,
  at           timestamptz NOT NULL,
  active       boolean NOT NULL,
  PRIMARY KEY (sensor_id, threshold_id)
);

-- One word on a threshold. A raise is counted on the threshold's latest alarm while that has not ended, or within a day
-- while nobody has taken it up; else it opens a new one. Sets of words must come in the order of their capture.
CREATE FUNCTION take_sensor_alarm(word jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  word_at    timestamptz := 'epoch'::timestamptz + (word->>'capturedAtMs')::bigint * interval '1 millisecond';
  is_active  boolean := (word->>'active')::boolean;
  sensor_key text := word->>'sensorId';
  limit_key  text := word->>'thresholdId';
  latest     alarm%ROWTYPE;
  newest     sensor_threshold%ROWTYPE;
BEGIN
  -- Locks the threshold: two connections may bring words of one sensor.
  INSERT INTO sensor_threshold AS t (sensor_id, threshold_id, at, active)
  VALUES (sensor_key, limit_key, word_at, is_active)
  ON CONFLICT (sensor_id, threshold_id) DO UPDATE SET
    active = CASE WHEN EXCLUDED.at >= t.at THEN EXCLUDED.active ELSE t.active END, at = greatest(t.at, EXCLUDED.at)
  RETURNING * INTO newest;
  SELECT * INTO latest FROM alarm WHERE sensor_id = sensor_key AND threshold_id = limit_key
  ORDER BY id DESC LIMIT 1 FOR UPDATE;

  IF NOT is_active THEN
    UPDATE alarm SET ended_at = word_at, version = version + 1
    WHERE id = latest.id AND ended_at IS NULL AND last_occurred_at <= word_at;
    RETURN;
  END IF;
  IF latest.id IS NOT NULL AND (latest.ended_at IS NULL
       OR (latest.state = 'new' AND word_at < latest.last_occurred_at + interval '1 day')) THEN
    UPDATE alarm SET
      occurrences = occurrences + 1, version = version + 1,
      value = CASE WHEN word_at >= last_occurred_at THEN (word->>'value')::double precision ELSE value END,
      limit_value = (word->>'limit')::double precision,
      captured_at = least(captured_at, word_at), started_at = least(started_at, word_at),
      last_occurred_at = greatest(last_occurred_at, word_at),
      ended_at = CASE WHEN newest.active THEN NULL ELSE greatest(newest.at, ended_at) END
    WHERE id = latest.id;
    RETURN;
  END IF;
  INSERT INTO alarm (sensor_id, threshold_id, observed_property, unit, value, limit_value, alarm_class, priority,
                     captured_at, started_at, last_occurred_at, ended_at, view_camera_id, source_event)
  SELECT s.id, limit_key, word->>'observedProperty', word->>'unit', (word->>'value')::double precision,
         (word->>'limit')::double precision, word->>'alarmClass', word->>'priority', word_at, word_at, word_at,
         CASE WHEN newest.active THEN NULL ELSE newest.at END, c.id, word->>'sourceEvent'
  FROM sensor s LEFT JOIN camera c ON c.id = s.camera_id AND c.agent_id = s.agent_id
  WHERE s.id = sensor_key
  ON CONFLICT (source_event) DO NOTHING;
END $$;
