-- What the centre's own look at the pictures that it analyses says (black, frozen, blurred, moved, occluded), beside what
-- the edge says (faults): written by analytics alone, as faults and condition are by ingest alone.
ALTER TABLE camera ADD COLUMN picture_faults jsonb;           -- [{fault, sinceMs}]; null: not judged
ALTER TABLE camera ADD COLUMN picture_faults_at timestamptz;  -- said again every ten minutes while there are any
