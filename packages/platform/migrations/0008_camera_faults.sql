-- What is wrong with a camera's picture or clock while it answers, and what its streams really are (contracts:
-- camera_health, camera_measure).
ALTER TABLE camera ADD COLUMN faults jsonb;                        -- [{fault, sinceMs}]; null: not known
ALTER TABLE camera ADD COLUMN measured jsonb NOT NULL DEFAULT '[]'; -- one entry a profile, with atMs
