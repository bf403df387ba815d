-- Statistics of zones: how many objects at once, how long they stayed, and from where to where they went.

-- Rolls up what late marks name and everything before `p_upto`, at most `p_span` of it. Returns the watermark of the
-- finest rollup, or `p_upto` where that is as far as its buckets go: a series may have no sums by the minute (as in
-- 0003 but for that). Call it when every transaction that may have missed `closing` has ended.
CREATE OR REPLACE FUNCTION huishi_store.roll_up(p_source text, p_upto timestamptz, p_span interval DEFAULT interval '6 hours')
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
  r        rollup;
  v_late   tstzmultirange;
  v_range  tstzrange;
  v_start  timestamptz;
  v_end    timestamptz;
  v_finest timestamptz;
BEGIN
  PERFORM 1 FROM rollup_source WHERE source = p_source FOR UPDATE;
  WITH taken AS (DELETE FROM rollup_late WHERE source = p_source RETURNING bucket)
  SELECT range_agg(tstzrange(bucket, bucket + interval '1 minute')) INTO v_late FROM taken;
  FOR r IN SELECT * FROM rollup WHERE source = p_source ORDER BY bucket, parent NULLS FIRST LOOP
    FOR v_range IN
      SELECT unnest(range_agg(tstzrange(huishi_store.time_bucket(r.bucket, lower(part)),
                                        least(r.watermark, huishi_store.time_bucket(r.bucket, upper(part) - interval '1 us') + r.bucket))))
      FROM unnest(v_late) AS part WHERE huishi_store.time_bucket(r.bucket, lower(part)) < r.watermark
    LOOP
      PERFORM huishi_store.roll_range(r, lower(v_range), upper(v_range));
    END LOOP;
    v_start := r.watermark;
    IF v_start = '-infinity' THEN
      EXECUTE format('SELECT huishi_store.time_bucket(%L::interval, min(%I)) FROM %I', r.bucket,
        (SELECT CASE WHEN r.parent IS NULL THEN time_column ELSE 'bucket' END FROM series WHERE name = r.source),
        coalesce(r.parent || '_rolled', r.source)) INTO v_start;
    END IF;
    v_end := huishi_store.time_bucket(r.bucket, CASE WHEN r.parent IS NULL THEN p_upto ELSE v_finest END);
    IF v_start IS NOT NULL AND r.parent IS NULL THEN v_end := least(v_end, huishi_store.time_bucket(r.bucket, v_start + p_span + r.bucket)); END IF;
    IF v_end > r.watermark THEN
      PERFORM huishi_store.roll_range(r, coalesce(v_start, v_end), v_end);
      UPDATE rollup SET watermark = v_end WHERE name = r.name;
    END IF;
    IF v_finest IS NULL THEN
      v_finest := greatest(v_end, r.watermark);
      IF v_finest >= huishi_store.time_bucket(r.bucket, p_upto) THEN v_finest := greatest(v_finest, p_upto); END IF;
    END IF;
  END LOOP;
  RETURN v_finest;
END $$;

-- How many objects were in a zone at once, by minute: sums that analytics adds to while it looks. A row of class 0 stands
-- for all objects together, and is there for every minute that was looked at, also when nobody came; rows of a class only
-- where one of it was seen. The mean is object_ms / watched_ms (of class 0): the time between two frames counts as the
-- earlier of them saw it.
SELECT huishi_store.create_series('zone_occupancy', '
  minute       timestamptz NOT NULL,
  object_ms    bigint NOT NULL,                -- sum over objects of their time in the zone
  watched_ms   integer NOT NULL,               -- of class 0: how much of the minute was looked at; else 0
  zone_no      integer NOT NULL,
  camera_no    integer NOT NULL,
  class_code   smallint NOT NULL,              -- 0: all objects together
  objects_max  smallint NOT NULL               -- at once', 'minute', interval '7 days', 'camera_no');
CREATE UNIQUE INDEX zone_occupancy_once ON zone_occupancy (zone_no, class_code, minute);
CREATE INDEX zone_occupancy_time ON zone_occupancy USING brin (minute) WITH (pages_per_range = 32, autosummarize = on);

-- A way from one zone to another within one track. No track goes from camera to camera, so both zones are of one camera.
-- `direct`: no third zone was entered between them.
SELECT huishi_store.create_series('zone_flow', '
  arrived_at    timestamptz NOT NULL,
  track_id      bigint NOT NULL,
  from_zone_no  integer NOT NULL,
  to_zone_no    integer NOT NULL,
  camera_no     integer NOT NULL,
  gap_ms        integer NOT NULL,              -- from leaving the one to entering the other; 0 where they overlap
  class_code    smallint NOT NULL,
  direct        boolean NOT NULL,
  PRIMARY KEY (camera_no, from_zone_no, arrived_at, to_zone_no, track_id)', 'arrived_at', interval '7 days', 'camera_no');
CREATE INDEX zone_flow_time ON zone_flow USING brin (arrived_at) WITH (pages_per_range = 32, autosummarize = on);

SELECT huishi_store.compress_series('zone_occupancy', 'zone_no', 'minute DESC, class_code', interval '16 days');
SELECT huishi_store.compress_series('zone_flow', 'camera_no', 'arrived_at DESC, from_zone_no, to_zone_no, track_id', interval '16 days');

SELECT huishi_store.create_rollup('zone_occupancy_hour', 'zone_occupancy', '1 hour', 'zone_no, class_code',
  'zone_no integer, class_code smallint',
  'sum(object_ms)::bigint AS object_ms, sum(watched_ms)::bigint AS watched_ms, max(objects_max)::integer AS objects_max',
  'object_ms bigint, watched_ms bigint, objects_max integer');

-- How long visits lasted: bins of equal ratio, eight to a doubling from 250 ms on (contracts: DWELL_BINS), so that any
-- hours, zones and classes can be added up and a quantile of the sum is within a twelfth of the truth.
SELECT huishi_store.create_rollup('zone_dwell_hour', 'zone_visit', '1 hour', 'zone_no, class_code, bin',
  'zone_no integer, class_code smallint, bin smallint',
  'count(*) AS visits, sum(extract(epoch FROM left_at - entered_at) * 1000)::bigint AS dwell_ms_sum',
  'visits bigint, dwell_ms_sum bigint', NULL,
  'zone_no, class_code, least(floor(8 * ln(greatest(extract(epoch FROM left_at - entered_at)::float8 * 4, 1)) / ln(2::float8)), 159)::smallint AS bin');

-- `within_code`: the gap was at most 1, 2, 5, 10, 30, 60 minutes, or more (contracts: FLOW_WITHIN_MINUTES).
SELECT huishi_store.create_rollup('zone_flow_hour', 'zone_flow', '1 hour',
  'camera_no, from_zone_no, to_zone_no, class_code, direct, within_code',
  'camera_no integer, from_zone_no integer, to_zone_no integer, class_code smallint, direct boolean, within_code smallint',
  'count(*) AS flows', 'flows bigint', NULL,
  'camera_no, from_zone_no, to_zone_no, class_code, direct, (CASE WHEN gap_ms <= 60000 THEN 0 WHEN gap_ms <= 120000 THEN 1
   WHEN gap_ms <= 300000 THEN 2 WHEN gap_ms <= 600000 THEN 3 WHEN gap_ms <= 1800000 THEN 4 WHEN gap_ms <= 3600000 THEN 5
   ELSE 6 END)::smallint AS within_code');

DO $$
DECLARE v_series text;
BEGIN
  FOR v_series IN SELECT name FROM series LOOP PERFORM huishi_store.keep_partitions(v_series); END LOOP;
END $$;

INSERT INTO retention_policy (dataset, min_age, max_age, basis) VALUES
  ('zone_occupancy', '30 days', '400 days', 'default: statistics of a year, no identity'),
  ('zone_flow', '30 days', '400 days', 'default: statistics of a year, no identity');
