-- Clips at the centre are kept under a policy like everything else, never beyond the disk's bound, and never lost under a hold.

INSERT INTO retention_policy (dataset, min_age, max_age, basis) VALUES
  ('clip', '30 days', '90 days', 'default: as long as video of mandated public places, then no longer than needed');

-- Which clips a hold covers: by its time and, where it names one, its camera.
CREATE FUNCTION huishi_store.clip_held(p_clip clip) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM legal_hold AS h
    WHERE h.released_at IS NULL AND (h.dataset IS NULL OR h.dataset = 'clip')
      AND (h.camera_id IS NULL OR h.camera_id = p_clip.camera_id)
      AND h.from_at < p_clip.to_at AND h.to_at > p_clip.from_at)
$$;

-- Clips whose rows are gone and whose files are still there. A file goes after its row, whatever took the row.
CREATE TABLE clip_gone (
  id       text PRIMARY KEY,
  gone_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX clip_gone_time ON clip_gone (gone_at);

-- No way around a hold: neither retention nor the end of the camera takes a clip under one.
CREATE FUNCTION huishi_store.keep_held_clip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'ready' AND huishi_store.clip_held(OLD) THEN
    RAISE restrict_violation USING MESSAGE = format('clip %s is under a legal hold', OLD.id);
  END IF;
  INSERT INTO clip_gone (id) VALUES (OLD.id) ON CONFLICT DO NOTHING;
  RETURN OLD;
END $$;
CREATE TRIGGER clip_end BEFORE DELETE ON clip FOR EACH ROW EXECUTE FUNCTION huishi_store.keep_held_clip();
CREATE INDEX clip_end_time ON clip (finished_at) WHERE state IN ('ready', 'failed');

-- How full the folder is, told by the ingest that has it.
CREATE TABLE clip_room (
  only_one    boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  max_bytes   bigint NOT NULL,
  used_bytes  bigint NOT NULL,
  is_full     boolean NOT NULL,
  told_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE clip_room IS 'derived: told anew by ingest every minute';

-- Categories of sites can be written by people; what the law prohibits stays prohibited.
ALTER TABLE site_category ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE site_category ADD COLUMN fixed boolean NOT NULL DEFAULT false;
ALTER TABLE site_category ADD COLUMN updated_by text NOT NULL DEFAULT 'installation';
ALTER TABLE site_category ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
UPDATE site_category SET fixed = true WHERE prohibited AND basis LIKE 'State Council Order 799%';
