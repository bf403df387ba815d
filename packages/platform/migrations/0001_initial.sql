-- The first schema of Huishi. Runs unchanged on TimescaleDB and on plain PostgreSQL 15 and up:
-- the hypertable call at the end happens only where the extension is there (docs/decisions/0001).

-- Agents in the field, and the one-time codes that claim them.
CREATE TABLE agent (
  id            text PRIMARY KEY,
  name          text NOT NULL,
  secret_hash   bytea NOT NULL,               -- sha-256 of a random 256-bit secret
  online        boolean NOT NULL DEFAULT false,
  status        jsonb,
  status_at     timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  revoked_at    timestamptz
);

CREATE TABLE agent_claim (
  code_hash     bytea PRIMARY KEY,            -- sha-256 of a random 128-bit code
  expires_at    timestamptz NOT NULL,
  used_at       timestamptz,
  agent_id      text REFERENCES agent (id)
);

CREATE TABLE camera (
  id              text PRIMARY KEY,
  no              integer GENERATED ALWAYS AS IDENTITY UNIQUE,  -- narrow key of detections and tracks
  agent_id        text NOT NULL REFERENCES agent (id),
  name            text NOT NULL,
  name_by_person  boolean NOT NULL DEFAULT false,               -- a person's name outlives the device's own
  manufacturer    text,
  model           text,
  firmware        text,
  serial          text,
  address         text,
  streams         jsonb NOT NULL DEFAULT '[]',
  ptz             boolean NOT NULL DEFAULT false,
  note            text,
  condition       text NOT NULL DEFAULT 'offline',
  condition_code  text,
  condition_since timestamptz,
  clock_offset_ms bigint,
  version         integer NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE zone (
  id         text PRIMARY KEY,
  camera_id  text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  name       text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('polygon', 'line')),
  points     jsonb NOT NULL,
  version    integer NOT NULL DEFAULT 1
);
CREATE INDEX zone_camera ON zone (camera_id);

CREATE TABLE rule (
  id         text PRIMARY KEY,
  camera_id  text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  zone_id    text NOT NULL REFERENCES zone (id) ON DELETE CASCADE,
  settings   jsonb NOT NULL,                  -- contracts: ruleSettings
  version    integer NOT NULL DEFAULT 1
);
CREATE INDEX rule_camera ON rule (camera_id);
CREATE INDEX rule_zone ON rule (zone_id);

-- Every event of the field, once: the primary key settles duplicates.
CREATE TABLE edge_event (
  agent_id     text NOT NULL,
  boot         text NOT NULL,
  seq          bigint NOT NULL,
  type         text NOT NULL,
  subject_id   text NOT NULL,                 -- camera or sensor
  captured_at  timestamptz NOT NULL,
  agent_at     timestamptz NOT NULL,
  ingested_at  timestamptz NOT NULL DEFAULT now(),
  body         jsonb NOT NULL,
  PRIMARY KEY (agent_id, boot, seq)
);
CREATE INDEX edge_event_subject ON edge_event (subject_id, captured_at DESC);

CREATE TABLE dead_letter (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agent_id    text NOT NULL,
  topic       text NOT NULL,
  code        text NOT NULL,
  reason      text NOT NULL,
  payload     bytea NOT NULL,                 -- the first 64 KiB
  received_at timestamptz NOT NULL DEFAULT now()
);

-- One object in one frame. Coordinates and score are scaled by 10000; class codes: contracts OBJECT_CLASSES.
CREATE TABLE detection (
  captured_at timestamptz NOT NULL,
  camera_no   integer NOT NULL,
  track_id    bigint NOT NULL,
  class_code  smallint NOT NULL,
  score       smallint NOT NULL,
  x           smallint NOT NULL,
  y           smallint NOT NULL,
  w           smallint NOT NULL,
  h           smallint NOT NULL
);
CREATE INDEX detection_camera_time ON detection (camera_no, captured_at DESC);

-- One object over time: written when it ends, and in between at least every minute.
CREATE TABLE track (
  id            bigint PRIMARY KEY,
  camera_no     integer NOT NULL,
  class_code    smallint NOT NULL,
  first_seen_at timestamptz NOT NULL,
  last_seen_at  timestamptz NOT NULL,
  observations  integer NOT NULL,
  score         smallint NOT NULL,            -- mean, scaled by 10000
  path          jsonb NOT NULL                -- up to 64 points [msSinceFirstSeen, x, y], x and y scaled by 10000
);
CREATE INDEX track_camera_time ON track (camera_no, last_seen_at DESC);
CREATE SEQUENCE track_id_block INCREMENT BY 1000000;  -- each analytics run takes a block: ids are never reused

-- Crossings of counting lines.
CREATE TABLE line_crossing (
  crossed_at  timestamptz NOT NULL,
  rule_id     text NOT NULL,
  camera_no   integer NOT NULL,
  track_id    bigint NOT NULL,
  class_code  smallint NOT NULL,
  left_to_right boolean NOT NULL
);
CREATE INDEX line_crossing_rule_time ON line_crossing (rule_id, crossed_at DESC);

CREATE TABLE alarm (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  camera_id        text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  rule_id          text,                      -- the rule may be gone; what it said is copied below
  rule_name        text,
  zone_id          text,
  zone_name        text,
  zone_kind        text,
  zone_points      jsonb,
  alarm_class      text NOT NULL,
  object_class     text,
  priority         text NOT NULL CHECK (priority IN ('P1', 'P2', 'P3', 'P4')),
  state            text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'acknowledged', 'falseAlarm')),
  captured_at      timestamptz NOT NULL,
  started_at       timestamptz NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT now(),
  last_occurred_at timestamptz NOT NULL,
  occurrences      integer NOT NULL DEFAULT 1,
  boxes            jsonb NOT NULL DEFAULT '[]',
  has_snapshot     boolean NOT NULL DEFAULT false,
  acknowledged_by  text,
  acknowledged_at  timestamptz,
  version          integer NOT NULL DEFAULT 1,
  source_event     text UNIQUE                -- agent/boot/seq for alarms that the field triggered
);
CREATE INDEX alarm_state ON alarm (state, id DESC);
CREATE INDEX alarm_camera ON alarm (camera_id, id DESC);

-- The deciding frame, as it was seen: no boxes burnt in.
CREATE TABLE alarm_snapshot (
  alarm_id   bigint PRIMARY KEY REFERENCES alarm (id) ON DELETE CASCADE,
  jpeg       bytea NOT NULL,
  sha256     bytea NOT NULL
);

-- Every move of an alarm, append-only.
CREATE TABLE alarm_move (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alarm_id   bigint NOT NULL REFERENCES alarm (id) ON DELETE CASCADE,
  moved_at   timestamptz NOT NULL DEFAULT now(),
  from_state text NOT NULL,
  to_state   text NOT NULL,
  actor      text NOT NULL,
  opinion    text
);
CREATE INDEX alarm_move_alarm ON alarm_move (alarm_id);

-- Transactional outbox: one row per change that somebody may want to see, written in the change's own
-- transaction. A reader takes rows of finished transactions only (tx < pg_snapshot_xmin), in (tx, id) order:
-- so a cursor never skips a row that commits late.
CREATE TABLE change (
  tx         xid8 NOT NULL DEFAULT pg_current_xact_id(),
  id         bigint GENERATED ALWAYS AS IDENTITY,
  at         timestamptz NOT NULL DEFAULT now(),
  kind       text NOT NULL CHECK (kind IN ('alarm', 'camera', 'zone', 'rule', 'deleted')),
  key        text NOT NULL,                   -- id of the row that changed
  what       text,                            -- for kind 'deleted': camera, zone or rule
  PRIMARY KEY (tx, id)
);
CREATE INDEX change_at ON change (at);

CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('huishi_change', '');
  RETURN NULL;
END $$;
CREATE TRIGGER change_notify AFTER INSERT ON change FOR EACH STATEMENT EXECUTE FUNCTION notify_change();

-- The outbox is filled by the tables themselves: nobody who writes a row can forget its change, and a change
-- can only exist with its row.
CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO change (kind, key, what) VALUES ('deleted', OLD.id::text, TG_TABLE_NAME);
  ELSE
    INSERT INTO change (kind, key) VALUES (TG_TABLE_NAME, NEW.id::text);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER alarm_change AFTER INSERT OR UPDATE ON alarm FOR EACH ROW EXECUTE FUNCTION record_change();
CREATE TRIGGER camera_change AFTER INSERT OR UPDATE OR DELETE ON camera FOR EACH ROW EXECUTE FUNCTION record_change();
CREATE TRIGGER zone_change AFTER INSERT OR UPDATE OR DELETE ON zone FOR EACH ROW EXECUTE FUNCTION record_change();
CREATE TRIGGER rule_change AFTER INSERT OR UPDATE OR DELETE ON rule FOR EACH ROW EXECUTE FUNCTION record_change();

-- A camera's picture of the world includes whether its agent is there.
CREATE FUNCTION record_agent_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (kind, key) SELECT 'camera', id FROM camera WHERE agent_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER agent_change AFTER UPDATE ON agent FOR EACH ROW
  WHEN (OLD.online IS DISTINCT FROM NEW.online) EXECUTE FUNCTION record_agent_change();

-- People.
CREATE TABLE app_user (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_name     text NOT NULL,
  password_hash text NOT NULL,                -- argon2id, PHC string
  role          text NOT NULL CHECK (role IN ('administrator', 'operator')),
  created_at    timestamptz NOT NULL DEFAULT now(),
  failed_count  integer NOT NULL DEFAULT 0,
  locked_until  timestamptz
);
CREATE UNIQUE INDEX app_user_name ON app_user (lower(user_name));

CREATE TABLE user_session (
  token_hash bytea PRIMARY KEY,               -- sha-256 of a random 256-bit token
  user_id    bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

-- The one-time link that creates the first administrator.
CREATE TABLE setup_token (
  token_hash bytea PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Who looked at which camera, when (the purpose is asked for in a later version).
CREATE TABLE look (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id    bigint NOT NULL,
  user_name  text NOT NULL,
  camera_id  text NOT NULL,
  profile    text NOT NULL,
  purpose    text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at   timestamptz
);
CREATE INDEX look_camera ON look (camera_id, started_at DESC);

DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN
    PERFORM create_hypertable('detection', 'captured_at', chunk_time_interval => interval '1 day', create_default_indexes => false);
  END IF;
END $$;
