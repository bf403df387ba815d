-- What questions need beside the series themselves (services/api, docs/storage.md).

-- Sums over all cameras read a time and no camera: of the newest minutes, which are not rolled up yet, and when those are
-- rolled up. A block range index is a few pages, costs writers nothing that can be measured, and rows come nearly in
-- order of time. Ranges that it does not know yet are read as they are: those are the newest ones anyway.
CREATE INDEX detection_time ON detection USING brin (captured_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX observation_time ON observation USING brin (captured_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX zone_visit_time ON zone_visit USING brin (entered_at) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX line_crossing_time ON line_crossing USING brin (crossed_at) WITH (pages_per_range = 32, autosummarize = on);

-- Which areas lie in an area.
CREATE INDEX area_parent ON area (parent_id);
CREATE INDEX sensor_area ON sensor (area_id);

-- Totals by the hour over all cameras: a year of days is 9,000 rows a class instead of 9,000 a class and camera.
SELECT huishi_store.create_rollup('detection_class_hour', 'detection', '1 hour', 'class_code', 'class_code smallint',
  'sum(detections)::bigint AS detections', 'detections bigint', 'detection_class_minute');
DO $$
BEGIN
  IF huishi_store.mode() <> 'tsl' THEN PERFORM huishi_store.keep_partitions('detection_class_hour_rolled'); END IF;
END $$;

-- Why a hold ended is as much part of the record as why it was placed.
ALTER TABLE legal_hold ADD COLUMN release_reason text;
