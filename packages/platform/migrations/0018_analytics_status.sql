-- What each analytics process last said of itself (contracts: AnalyticsProcess): one row a process, written every few
-- seconds, gone a minute after its last word.
CREATE TABLE analytics_status (
  instance_id text PRIMARY KEY,
  updated_at  timestamptz NOT NULL DEFAULT now(),
  status      jsonb NOT NULL
) WITH (fillfactor = 50);
