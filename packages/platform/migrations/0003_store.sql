-- The store's machinery: time series, their partitions and rollups, on TimescaleDB (`tsl`), its Apache edition
-- (`apache`) and plain PostgreSQL (`plain`). Readers and writers are the same code in all three
-- (docs/storage.md, docs/decisions/0013).

-- Not `huishi`: a database user of that name would find its tables there ("$user" leads the search path).
CREATE SCHEMA huishi_store;

-- The mode is decided once, when the tables are made: a licence that changes later changes no table.
CREATE TABLE store (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  mode  text NOT NULL CHECK (mode IN ('tsl', 'apache', 'plain'))
);
COMMENT ON TABLE store IS 'derived: how this database was made';
INSERT INTO store (mode)
SELECT CASE
  WHEN NOT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN 'plain'
  WHEN current_setting('timescaledb.license', true) = 'apache' THEN 'apache'
  ELSE 'tsl' END;

CREATE FUNCTION huishi_store.mode() RETURNS text LANGUAGE sql STABLE AS $$ SELECT mode FROM public.store $$;

-- TimescaleDB's time_bucket for everybody, with its origin (a Monday). Inlined by the planner.
CREATE FUNCTION huishi_store.time_bucket(width interval, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT date_bin(width, at, '2000-01-03 00:00:00+00'::timestamptz) $$;

-- Tables that are cut by time: hypertables, or range partitions with a default one behind them.
CREATE TABLE series (
  name             text PRIMARY KEY,
  time_column      text NOT NULL,
  chunk_interval   interval NOT NULL,
  target_bytes     bigint NOT NULL DEFAULT 1073741824,  -- of a chunk with its indexes; the interval follows it
  hold_column      text                                 -- camera_no where a legal hold may name a camera
);
COMMENT ON TABLE series IS 'derived: made by migrations and the store keeper';
CREATE TABLE series_partition (
  series   text NOT NULL REFERENCES series (name),
  name     text NOT NULL,
  from_at  timestamptz NOT NULL,
  to_at    timestamptz NOT NULL CHECK (to_at > from_at),
  made_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (series, from_at)
);
COMMENT ON TABLE series_partition IS 'derived: partitions of this database';

-- A table cut by time. Indexes follow it; a unique one must hold the time column.
CREATE FUNCTION huishi_store.create_series(p_name text, p_columns text, p_time text, p_chunk interval, p_hold text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF huishi_store.mode() = 'plain' THEN
    EXECUTE format(E'CREATE TABLE %I (%s\n) PARTITION BY RANGE (%I)', p_name, p_columns, p_time);
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', p_name || '_default', p_name);
  ELSE
    EXECUTE format(E'CREATE TABLE %I (%s\n)', p_name, p_columns);
    PERFORM create_hypertable(p_name::regclass, p_time::name, chunk_time_interval => p_chunk, create_default_indexes => false);
  END IF;
  INSERT INTO series (name, time_column, chunk_interval, hold_column) VALUES (p_name, p_time, p_chunk, p_hold);
END $$;

-- The partition that holds `p_at`, made when there is none. Rows that went to the default partition move into it.
-- CREATE ... PARTITION OF would lock the whole table; ATTACH lets others read and write (PostgreSQL §5.11.2.2).
CREATE FUNCTION huishi_store.ensure_partition(p_series text, p_at timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  s       series;
  v_from  timestamptz;
  v_to    timestamptz;
  v_name  text;
  v_moves boolean;
  v_moved bigint;
BEGIN
  SELECT * INTO STRICT s FROM series WHERE name = p_series FOR UPDATE;
  IF EXISTS (SELECT 1 FROM series_partition WHERE series = p_series AND from_at <= p_at AND to_at > p_at) THEN
    RETURN false;
  END IF;
  v_from := huishi_store.time_bucket(s.chunk_interval, p_at);
  v_to := v_from + s.chunk_interval;
  -- The interval may have changed since its neighbours were made: keep clear of them.
  SELECT greatest(v_from, max(to_at)) INTO v_from FROM series_partition WHERE series = p_series AND to_at <= p_at;
  SELECT least(v_to, min(from_at)) INTO v_to FROM series_partition WHERE series = p_series AND from_at > p_at;
  -- What lies there moves, and a reader that waits for one partition alone would see it nowhere: then all wait.
  EXECUTE format('SELECT EXISTS (SELECT 1 FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L)', p_series || '_default', s.time_column, v_from, v_to)
    INTO v_moves;
  IF v_moves THEN EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', p_series); END IF;
  v_name := format('%s_p%s', p_series, to_char(v_from AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI'));
  -- Whoever writes odd times waits here; everybody else has a partition of his own.
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', p_series || '_default');
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', v_name, p_series);
  EXECUTE format(
    'WITH moved AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *) INSERT INTO %5$I SELECT * FROM moved',
    p_series || '_default', s.time_column, v_from, v_to, v_name);
  GET DIAGNOSTICS v_moved = ROW_COUNT;
  IF v_moved > 0 AND NOT v_moves THEN
    RAISE lock_not_available USING MESSAGE = 'rows came while their partition was made: it is made at the next turn';
  END IF;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', p_series, v_name, v_from, v_to);
  INSERT INTO series_partition (series, name, from_at, to_at) VALUES (p_series, v_name, v_from, v_to);
  RETURN true;
END $$;

-- Partitions ahead of time, and partitions for what lies in the default one. Returns how many were made.
-- TimescaleDB makes its chunks itself.
CREATE FUNCTION huishi_store.keep_partitions(p_series text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  s        series;
  v_at     timestamptz;
  v_made   integer := 0;
BEGIN
  IF huishi_store.mode() <> 'plain' THEN RETURN 0; END IF;
  SELECT * INTO STRICT s FROM series WHERE name = p_series;
  FOR v_at IN SELECT generate_series(now() - s.chunk_interval, now() + 4 * s.chunk_interval, s.chunk_interval / 2) LOOP
    IF huishi_store.ensure_partition(p_series, v_at) THEN v_made := v_made + 1; END IF;
  END LOOP;
  FOR v_turn IN 1..64 LOOP
    EXECUTE format('SELECT min(%I) FROM %I', s.time_column, p_series || '_default') INTO v_at;
    EXIT WHEN v_at IS NULL OR NOT huishi_store.ensure_partition(p_series, v_at);
    v_made := v_made + 1;
  END LOOP;
  RETURN v_made;
END $$;

-- Chunks and partitions alike: what retention and chunk sizing look at.
CREATE FUNCTION huishi_store.series_chunks(p_series text)
RETURNS TABLE (chunk text, from_at timestamptz, to_at timestamptz, bytes bigint, compressed boolean, made_at timestamptz)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF huishi_store.mode() = 'plain' THEN
    RETURN QUERY SELECT format('%I', p.name), p.from_at, p.to_at, pg_total_relation_size(format('%I', p.name)::regclass), false, p.made_at
      FROM series_partition AS p WHERE p.series = p_series ORDER BY p.from_at;
  ELSE
    RETURN QUERY SELECT format('%I.%I', c.chunk_schema, c.chunk_name), c.range_start, c.range_end,
        pg_total_relation_size(format('%I.%I', c.chunk_schema, c.chunk_name)::regclass), coalesce(c.is_compressed, false),
        c.chunk_creation_time
      FROM timescaledb_information.chunks AS c
      WHERE c.hypertable_schema = 'public' AND c.hypertable_name = p_series ORDER BY c.range_start;
  END IF;
END $$;

-- Drops one chunk whole. The caller has made sure that nothing in it must stay.
CREATE FUNCTION huishi_store.drop_chunk(p_series text, p_chunk text, p_from timestamptz, p_to timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF huishi_store.mode() = 'plain' THEN
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %s', p_series, p_chunk);
    EXECUTE format('DROP TABLE %s', p_chunk);
    DELETE FROM series_partition WHERE series = p_series AND from_at = p_from;
  ELSE
    PERFORM drop_chunks(p_series::regclass, older_than => p_to, newer_than => p_from);
  END IF;
END $$;

-- New chunks take this length; old ones stay as they are.
CREATE FUNCTION huishi_store.set_chunk_interval(p_series text, p_interval interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF huishi_store.mode() <> 'plain' THEN PERFORM set_chunk_time_interval(p_series::regclass, p_interval); END IF;
  UPDATE series SET chunk_interval = p_interval WHERE name = p_series;
END $$;

-- Old chunks as columns (tsl only). `p_after` lies beyond the longest time that an outbox may be late.
CREATE FUNCTION huishi_store.compress_series(p_series text, p_segment_by text, p_order_by text, p_after interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF huishi_store.mode() <> 'tsl' THEN RETURN; END IF;
  EXECUTE format('ALTER TABLE %I SET (timescaledb.compress, timescaledb.compress_segmentby = %L, timescaledb.compress_orderby = %L)',
    p_series, p_segment_by, p_order_by);
  PERFORM add_compression_policy(p_series::regclass, p_after);
END $$;

-- Rollups: sums by minute and hour. In tsl each is a continuous aggregate; elsewhere a table that `huishi_store.roll_up`
-- keeps. Readers call the function huishi_store.<name>(from, to) and see one thing: what is rolled up, and the rest from
-- the rows themselves.
CREATE TABLE rollup (
  name       text PRIMARY KEY,                          -- outside tsl its rows lie in <name>_rolled
  source     text NOT NULL REFERENCES series (name),
  bucket     interval NOT NULL,
  parent     text REFERENCES rollup (name),             -- the finer rollup it sums up, else the source itself
  keys       text NOT NULL,                             -- as in GROUP BY
  key_select text NOT NULL,                             -- as in SELECT
  measures   text NOT NULL,
  reader     text NOT NULL,                             -- the body of its function; p_start is where its rows begin
  watermark  timestamptz NOT NULL DEFAULT '-infinity'   -- buckets before it are rolled up
);
COMMENT ON TABLE rollup IS 'derived: how far the rollups are';

-- From `closing` on a row finds its bucket open. A writer whose row lies before it leaves a late mark in its own
-- transaction. `closing` moves first; the buckets are rolled up when every transaction that may not have seen the
-- move has ended (pg_snapshot_xmin): so no row is missed, and no writer waits.
CREATE TABLE rollup_source (
  source   text PRIMARY KEY REFERENCES series (name),
  closing  timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE rollup_source IS 'derived: how far the rollups are';
CREATE TABLE rollup_late (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source  text NOT NULL,
  bucket  timestamptz NOT NULL                           -- a minute
);
COMMENT ON TABLE rollup_late IS 'derived: buckets to be rolled up again';

-- p_keys: 'camera_no, class_code'; p_key_columns: 'camera_no integer, class_code smallint';
-- p_key_select: expressions over the source, the keys themselves when null; p_measures over the source;
-- p_measure_columns: 'detections bigint'; p_parent_measures over the parent's columns.
CREATE FUNCTION huishi_store.create_rollup(p_name text, p_source text, p_bucket interval, p_keys text, p_key_columns text,
  p_measures text, p_measure_columns text, p_parent text DEFAULT NULL, p_key_select text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_from   text := coalesce(p_parent, p_source);
  v_time   text;
  v_keys   text := coalesce(p_key_select, p_keys);
  v_names  text;
  v_groups text;
  v_mark   text;
  v_table  text;
  v_body   text;
BEGIN
  SELECT CASE WHEN p_parent IS NULL THEN time_column ELSE 'bucket' END INTO STRICT v_time FROM series WHERE name = p_source;
  SELECT string_agg(split_part(trim(part), ' ', 1), ', ') INTO v_names FROM unnest(string_to_array(p_measure_columns, ',')) AS part;
  IF huishi_store.mode() = 'tsl' THEN
    EXECUTE format(
      'CREATE MATERIALIZED VIEW %I WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
       SELECT time_bucket(%L::interval, %I) AS bucket, %s, %s FROM %I GROUP BY 1, %s WITH NO DATA',
      p_name, p_bucket, v_time, v_keys, p_measures, v_from,
      (SELECT string_agg((n + 1)::text, ', ') FROM generate_series(1, array_length(string_to_array(p_keys, ','), 1)) AS n));
    -- An outbox may be a week late; what has not changed since costs nothing here.
    PERFORM add_continuous_aggregate_policy(p_name::regclass, start_offset => interval '9 days',
      end_offset => p_bucket, schedule_interval => least(p_bucket, interval '10 minutes'));
    -- The aggregate's own table and watermark, not its view: within a function TimescaleDB does not take the watermark for
    -- a constant, and then asks for it row by row (7 us each).
    SELECT format('%I.%I', c.materialization_hypertable_schema, c.materialization_hypertable_name),
           format('(SELECT coalesce(_timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(%s)), ''-infinity''))', h.id)
    INTO STRICT v_table, v_mark
    FROM timescaledb_information.continuous_aggregates AS c
    JOIN _timescaledb_catalog.hypertable AS h
      ON h.schema_name = c.materialization_hypertable_schema AND h.table_name = c.materialization_hypertable_name
    WHERE c.view_schema = 'public' AND c.view_name = p_name;
  ELSE
    PERFORM huishi_store.create_series(p_name || '_rolled',
      format('bucket timestamptz NOT NULL, %s, %s', p_key_columns, p_measure_columns), 'bucket', interval '7 days');
    EXECUTE format('COMMENT ON TABLE %I IS %L', p_name || '_rolled', 'derived: rollup of ' || p_source);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (%s, bucket)', p_name || '_once', p_name || '_rolled', p_keys);
    EXECUTE format('CREATE INDEX %I ON %I (bucket)', p_name || '_bucket', p_name || '_rolled');
    v_table := format('%I', p_name || '_rolled');
    v_mark := format('(SELECT watermark FROM rollup WHERE name = %L)', p_name);
  END IF;
  v_groups := (SELECT string_agg((n + 1)::text, ', ') FROM generate_series(1, array_length(string_to_array(p_keys, ','), 1)) AS n);
  -- Each bound stands by itself: p_from and p_to are known when a statement is planned and leave out chunks then, a
  -- watermark only when it runs.
  v_body := format('SELECT bucket, %1$s, %2$s FROM %3$s
     WHERE bucket >= p_from AND bucket >= p_start AND bucket < p_to AND bucket < %4$s UNION ALL ',
    p_keys, v_names, v_table, v_mark);
  IF p_parent IS NULL THEN
    v_body := v_body || format(
      'SELECT huishi_store.time_bucket(%1$L::interval, %2$I), %3$s, %4$s FROM %5$I
       WHERE %2$I >= p_from AND %2$I >= p_start AND %2$I >= %6$s AND %2$I < p_to GROUP BY 1, %7$s',
      p_bucket, v_time, v_keys, p_measures, v_from, v_mark, v_groups);
  ELSE
    -- The finer rollup's text, not its function: PostgreSQL inlines no function whose argument is a subquery, and then
    -- makes all of its rows before it looks at a filter.
    v_body := v_body || format(
      'SELECT huishi_store.time_bucket(%1$L::interval, bucket), %2$s, %3$s FROM (%4$s) AS finer GROUP BY 1, %5$s',
      p_bucket, p_keys, p_measures,
      (SELECT replace(reader, 'p_start', format('greatest(p_start, %s)', v_mark)) FROM rollup WHERE name = p_parent), v_groups);
  END IF;
  INSERT INTO rollup (name, source, bucket, parent, keys, key_select, measures, reader)
  VALUES (p_name, p_source, p_bucket, p_parent, p_keys, v_keys, p_measures, v_body);
  INSERT INTO rollup_source (source) VALUES (p_source) ON CONFLICT DO NOTHING;
  EXECUTE format('CREATE FUNCTION huishi_store.%I(p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (bucket timestamptz, %s, %s) LANGUAGE sql STABLE PARALLEL SAFE AS %L',
    p_name, p_key_columns, p_measure_columns, replace(v_body, 'p_start', 'p_from'));
END $$;

-- Writers call this last in their transaction, with the minutes that their rows touch.
CREATE FUNCTION huishi_store.mark_late(p_source text, p_minutes timestamptz[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO rollup_late (source, bucket)
  SELECT p_source, minute FROM unnest(p_minutes) AS minute
  WHERE minute < (SELECT closing FROM rollup_source WHERE source = p_source)
$$;

-- One bucket range of one rollup, from its parent or its source.
CREATE FUNCTION huishi_store.roll_range(r rollup, p_from timestamptz, p_to timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_from text := coalesce(r.parent || '_rolled', r.source);
  v_time text;
BEGIN
  IF p_from >= p_to THEN RETURN; END IF;
  SELECT CASE WHEN r.parent IS NULL THEN time_column ELSE 'bucket' END INTO STRICT v_time FROM series WHERE name = r.source;
  EXECUTE format('DELETE FROM %I WHERE bucket >= %L AND bucket < %L', r.name || '_rolled', p_from, p_to);
  EXECUTE format('INSERT INTO %I SELECT huishi_store.time_bucket(%L::interval, %I), %s, %s FROM %I WHERE %I >= %L AND %I < %L GROUP BY 1, %s',
    r.name || '_rolled', r.bucket, v_time, CASE WHEN r.parent IS NULL THEN r.key_select ELSE r.keys END, r.measures,
    v_from, v_time, p_from, v_time, p_to,
    (SELECT string_agg((n + 1)::text, ', ') FROM generate_series(1, array_length(string_to_array(r.keys, ','), 1)) AS n));
END $$;

-- Rolls up what late marks name and everything before `p_upto`, at most `p_span` of it. Returns the watermark of the
-- finest rollup. Call it when every transaction that may have missed `closing` has ended.
CREATE FUNCTION huishi_store.roll_up(p_source text, p_upto timestamptz, p_span interval DEFAULT interval '6 hours')
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
    IF v_finest IS NULL THEN v_finest := greatest(v_end, r.watermark); END IF;
  END LOOP;
  RETURN v_finest;
END $$;

-- What is kept how long, and why. Nothing younger than `min_age` goes, everything older than `max_age` does, unless a
-- legal hold covers it.
CREATE TABLE retention_policy (
  dataset     text PRIMARY KEY,                -- a series, a rollup, or dead_letter
  min_age     interval NOT NULL CHECK (min_age >= interval '0'),
  max_age     interval NOT NULL,
  basis       text NOT NULL CHECK (basis <> ''),
  updated_by  text NOT NULL DEFAULT 'installation',
  updated_at  timestamptz NOT NULL DEFAULT now(),
  version     integer NOT NULL DEFAULT 1,
  CHECK (max_age >= min_age),
  -- Rollups look back nine days for late events: rows must not be gone before.
  CHECK (max_age >= interval '10 days')
);

CREATE TABLE legal_hold (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  dataset      text,                           -- null: all
  camera_id    text,                           -- null: all
  camera_no    integer,                        -- outlives the camera
  from_at      timestamptz NOT NULL,
  to_at        timestamptz NOT NULL CHECK (to_at > from_at),
  reason       text NOT NULL CHECK (reason <> ''),
  placed_by    text NOT NULL,
  placed_at    timestamptz NOT NULL DEFAULT now(),
  released_by  text,
  released_at  timestamptz
);
CREATE FUNCTION huishi_store.number_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT no INTO NEW.camera_no FROM camera WHERE id = NEW.camera_id;
  IF NEW.camera_id IS NOT NULL AND NEW.camera_no IS NULL THEN
    RAISE foreign_key_violation USING MESSAGE = format('there is no camera %s to hold', NEW.camera_id);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER legal_hold_number BEFORE INSERT ON legal_hold FOR EACH ROW EXECUTE FUNCTION huishi_store.number_hold();
