-- Which analytics process analyses which camera (docs/decisions/0019-camera-leases.md). A lease holds as long as its
-- worker's row stands and `expires_at` is ahead, by the clock of the DATABASE; heartbeats renew the worker, not each
-- camera, so that ten thousand cameras cost one row every two seconds and process. A worker that is late may be deleted
-- by any other: that frees its cameras, and it can never come back under the same id.

CREATE TABLE analytics_worker (
  id           text PRIMARY KEY,                    -- of one start of one process, never used again
  name         text NOT NULL,                       -- what people call it
  capacity     real NOT NULL CHECK (capacity > 0),  -- its share of the load, relative to the others
  started_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz NOT NULL
);

CREATE TABLE camera_lease (
  camera_id text PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  worker    text REFERENCES analytics_worker (id) ON DELETE SET NULL,  -- null: nobody
  epoch     bigint NOT NULL DEFAULT 0,              -- grows with each taking: the fencing token
  weight    real NOT NULL CHECK (weight > 0),       -- load that the camera is expected to be
  taken_at  timestamptz                             -- by the worker that holds it, or held it last
);
CREATE INDEX camera_lease_worker ON camera_lease (worker);
