-- What agents send on request beside clips: their logs, a camera's snapshot. Kept for a week.

CREATE TABLE agent_upload (
  id           text PRIMARY KEY,                                 -- names the upload, and its file
  agent_id     text NOT NULL REFERENCES agent (id),
  camera_id    text REFERENCES camera (id) ON DELETE SET NULL,   -- of a snapshot
  kind         text NOT NULL CHECK (kind IN ('logs', 'snapshot')),
  requested_by text NOT NULL,
  purpose      text,
  state        text NOT NULL DEFAULT 'sent' CHECK (state IN ('sent', 'receiving', 'ready', 'failed')),
  bytes        bigint NOT NULL DEFAULT 0,
  sha256       bytea,
  code         text,
  message      text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  progress_at  timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);
CREATE INDEX agent_upload_time ON agent_upload (created_at DESC);
