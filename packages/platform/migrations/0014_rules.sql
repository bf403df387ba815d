-- How cameras' pictures lie on the ground, where alarms are on the map, what a sensor said when a rule raised, and which
-- neighbouring cameras saw the same.
CREATE TABLE camera_ground_plane (
  camera_id  text PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  pairs      jsonb NOT NULL,                  -- contracts: GroundPairsSchema, checked by the API
  version    integer NOT NULL DEFAULT 1
);

-- A plan of a camera changes with its ground plane; a camera that is deleted tells that itself.
CREATE FUNCTION record_ground_plane_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (kind, key)
  SELECT 'camera', id FROM camera WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.camera_id ELSE NEW.camera_id END;
  RETURN NULL;
END $$;
CREATE TRIGGER camera_ground_plane_change AFTER INSERT OR UPDATE OR DELETE ON camera_ground_plane
  FOR EACH ROW EXECUTE FUNCTION record_ground_plane_change();

ALTER TABLE alarm
  ADD COLUMN latitude       double precision,   -- WGS84, of the deciding object's foot point
  ADD COLUMN longitude      double precision,
  ADD COLUMN sensor_reading jsonb,              -- what the rule's sensor condition went by when the alarm was opened
  ADD CONSTRAINT alarm_position CHECK ((latitude IS NULL) = (longitude IS NULL));

-- Occurrences of an alarm that another camera saw: one row for each of them.
CREATE TABLE alarm_neighbour (
  alarm_id      bigint NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  camera_id     text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  rule_id       text NOT NULL,
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  occurrences   integer NOT NULL,
  latitude      double precision NOT NULL,      -- of the latest
  longitude     double precision NOT NULL,
  source_event  text NOT NULL,                  -- of the latest: what is given twice is counted once
  PRIMARY KEY (alarm_id, camera_id)
);
-- A rule's next occurrence goes where its last one went.
CREATE INDEX alarm_neighbour_rule ON alarm_neighbour (rule_id, alarm_id DESC);
CREATE INDEX alarm_neighbour_camera ON alarm_neighbour (camera_id);
-- Open alarms of a class with a position, newest first: what a neighbour may join.
CREATE INDEX alarm_class_position ON alarm (alarm_class, last_occurred_at DESC)
  WHERE latitude IS NOT NULL AND state IN ('new', 'acknowledged');
