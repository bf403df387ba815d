-- Rule rehearsals: jobs that the api stores and analytics takes, and the clips that people upload for them.

-- A worker that stops beating loses its job to the next one; after three tries it is given up.
CREATE TABLE rehearsal (
  id           text PRIMARY KEY,
  camera_id    text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  user_id      bigint NOT NULL,
  user_name    text NOT NULL,
  subject      jsonb NOT NULL,                        -- contracts: RehearsalSubjectSchema
  baseline     jsonb,
  source       jsonb NOT NULL,                        -- contracts: RehearsalSourceSchema
  state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
  progress     real NOT NULL DEFAULT 0,
  attempts     integer NOT NULL DEFAULT 0,
  worker       text,                                  -- who has it; null before the first claim
  heartbeat_at timestamptz,
  error        jsonb,
  result       jsonb,
  created_at   timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);
CREATE INDEX rehearsal_open ON rehearsal (created_at) WHERE state IN ('waiting', 'running');
CREATE INDEX rehearsal_camera ON rehearsal (camera_id, created_at DESC);
CREATE INDEX rehearsal_age ON rehearsal (created_at);

-- Clips lie in the database, so that any analytics process of any machine can take them. Kept for a day; no part of a
-- backup: what they are for is over by then. So no key ties them to what is restored.
CREATE TABLE rehearsal_clip (
  id          text PRIMARY KEY,
  camera_id   text NOT NULL,
  user_id     bigint NOT NULL,
  bytes       bigint NOT NULL CHECK (bytes > 0),
  created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rehearsal_clip IS 'derived: uploads that are kept for a day';
CREATE INDEX rehearsal_clip_age ON rehearsal_clip (created_at);

CREATE TABLE rehearsal_clip_chunk (
  clip_id  text NOT NULL REFERENCES rehearsal_clip (id) ON DELETE CASCADE,
  no       integer NOT NULL CHECK (no >= 0),
  bytes    bytea NOT NULL,
  PRIMARY KEY (clip_id, no)
);
COMMENT ON TABLE rehearsal_clip_chunk IS 'derived: uploads that are kept for a day';
-- Video does not compress.
ALTER TABLE rehearsal_clip_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- From when to when a camera's pictures were analysed. A frame with nothing in it leaves no detection: only this tells
-- "nobody was there" from "nobody looked".
CREATE TABLE analysis_span (
  camera_no  integer NOT NULL,
  began_at   timestamptz NOT NULL,
  until_at   timestamptz NOT NULL,
  frames     integer NOT NULL,                        -- how many: what is in the picture decides how often one looks
  PRIMARY KEY (camera_no, began_at)
);
CREATE INDEX analysis_span_until ON analysis_span (until_at);
