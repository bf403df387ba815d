-- The record of each camera (一机一档): what its agent says of it, and what only people know.

-- As the agent says; contracts: camera_inventory.
ALTER TABLE camera
  ADD COLUMN hardware_address text,
  ADD COLUMN endpoint         text,
  ADD COLUMN capabilities     jsonb NOT NULL DEFAULT '[]';

-- Kinds of places, as data: a city adds its own. A prohibited one refuses registration.
CREATE TABLE site_category (
  slug        text PRIMARY KEY CHECK (slug ~ '^[a-z][a-z0-9_]{0,62}$'),
  name        text NOT NULL,
  name_en     text NOT NULL,
  prohibited  boolean NOT NULL DEFAULT false,
  basis       text                               -- why it is prohibited
    CHECK (NOT prohibited OR basis IS NOT NULL)
);
INSERT INTO site_category (slug, name, name_en) VALUES
  ('road', '城市道路', 'Road or crossing'),
  ('square', '广场', 'Square'),
  ('park', '公园', 'Park'),
  ('waterside', '江河湖海岸', 'Waterside'),
  ('bridge_tunnel', '桥梁、隧道', 'Bridge or tunnel'),
  ('transport_hub', '车站、码头、机场', 'Station, port or airport'),
  ('market', '市场', 'Market'),
  ('school_entrance', '学校出入口及周边', 'Entrance and surroundings of a school'),
  ('hospital_public', '医院公共区域', 'Public area of a hospital'),
  ('residential_entrance', '住宅区出入口', 'Entrance of a residential quarter'),
  ('car_park', '停车场', 'Car park'),
  ('public_building', '公共建筑出入口', 'Entrance of a public building'),
  ('other_public', '其他公共场所', 'Other public place');
INSERT INTO site_category (slug, name, name_en, prohibited, basis)
SELECT slug, name, name_en, true, 'State Council Order 799 (in force 2025-04-01): places where no camera may be'
FROM (VALUES
  ('guest_room', '旅馆客房、包间内部', 'Inside of a guest room or private dining room'),
  ('dormitory_room', '宿舍、休息用房内部', 'Inside of a dormitory or rest room of staff'),
  ('bathroom', '公共浴室内部', 'Inside of a public bathroom'),
  ('toilet', '公共卫生间内部', 'Inside of a public toilet'),
  ('changing_room', '更衣室、试衣间内部', 'Inside of a changing or fitting room'),
  ('nursing_room', '哺乳室内部', 'Inside of a nursing room'),
  ('other_private', '其他能够拍摄他人隐私的部位', 'Any other place from which privacy can be filmed')
) AS prohibited (slug, name, name_en);

CREATE TABLE device_record (
  camera_id          text PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  latitude           double precision CHECK (latitude BETWEEN -90 AND 90),
  longitude          double precision CHECK (longitude BETWEEN -180 AND 180),
  -- GCJ-02 is shifted by up to some hundred metres and never stands here.
  coordinate_system  text CHECK (coordinate_system IN ('WGS84', 'CGCS2000')),
  height_m           double precision,           -- of the camera above the ground
  heading_deg        double precision CHECK (heading_deg >= 0 AND heading_deg < 360),   -- clockwise from north
  tilt_deg           double precision CHECK (tilt_deg BETWEEN -90 AND 90),              -- below 0: downwards
  field_of_view_deg  double precision CHECK (field_of_view_deg > 0 AND field_of_view_deg <= 360),
  owner              text,
  purpose            text,
  legal_basis        text,
  site_category      text REFERENCES site_category (slug),
  filing_number      text,
  gb28181_code       text UNIQUE CHECK (gb28181_code ~ '^[0-9]{20}$'),
  version            integer NOT NULL DEFAULT 1,
  updated_by         text NOT NULL,
  updated_at         timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT device_record_position CHECK (
    num_nonnulls(latitude, longitude, coordinate_system) IN (0, 3))
);
CREATE INDEX device_record_site_category ON device_record (site_category);

-- The notice sign that stands beside the camera, as it was photographed.
CREATE TABLE sign_photo (
  camera_id    text PRIMARY KEY REFERENCES camera (id) ON DELETE CASCADE,
  media_type   text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png')),
  image        bytea NOT NULL CHECK (octet_length(image) <= 2097152),
  sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
  uploaded_by  text NOT NULL,
  uploaded_at  timestamptz NOT NULL DEFAULT now()
);
-- Pictures do not compress a second time.
ALTER TABLE sign_photo ALTER COLUMN image SET STORAGE EXTERNAL;
