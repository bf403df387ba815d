-- Clips of the recordings at the agents: what was asked for, by whom and why, and what came.

ALTER TABLE camera ADD COLUMN backfill boolean NOT NULL DEFAULT false;

CREATE TABLE clip (
  id           text PRIMARY KEY,                                 -- names the upload, too
  agent_id     text NOT NULL REFERENCES agent (id),
  camera_id    text NOT NULL REFERENCES camera (id) ON DELETE CASCADE,
  profile      text NOT NULL CHECK (profile IN ('main', 'sub')),
  from_at      timestamptz NOT NULL,
  to_at        timestamptz NOT NULL CHECK (to_at > from_at),
  purpose      text NOT NULL,                                    -- `backfill`: the centre asked by itself
  requested_by text NOT NULL,
  state        text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'sent', 'receiving', 'ready', 'failed')),
  command_id   text,
  attempts     integer NOT NULL DEFAULT 0,
  bytes        bigint NOT NULL DEFAULT 0,
  sha256       bytea,                                            -- of the picture records
  signature    text CHECK (signature IN ('valid', 'invalid', 'unknown key')),
  manifest     jsonb,                                            -- contracts: SignedText of a ClipManifest
  code         text,
  message      text,
  -- A gap is asked for once, however often its event comes.
  source       text UNIQUE,
  created_at   timestamptz NOT NULL DEFAULT now(),
  progress_at  timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);
CREATE INDEX clip_camera ON clip (camera_id, created_at DESC);
CREATE INDEX clip_open ON clip (agent_id, created_at) WHERE state IN ('wanted', 'sent', 'receiving');
