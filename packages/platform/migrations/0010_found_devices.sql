-- Devices that agents found on their networks, in quarantine until somebody adopts them.
CREATE TABLE found_device (
  agent_id   text NOT NULL REFERENCES agent (id) ON DELETE CASCADE,
  device_key text NOT NULL,                       -- endpoint, else address: stays with the device as far as it tells
  how        text NOT NULL CHECK (how IN ('ws_discovery', 'subnet_probe', 'typed')),
  address    text NOT NULL,                       -- host and port
  onvif_url  text,
  rtsp_port  integer,
  name       text,
  hardware   text,
  first_at   timestamptz NOT NULL,
  told_at    timestamptz NOT NULL,                -- of the latest word: an outbox may bring an older one later
  gone       boolean NOT NULL DEFAULT false,      -- no longer in quarantine: not seen for long, or adopted
  PRIMARY KEY (agent_id, device_key)
);
CREATE INDEX found_device_told ON found_device (told_at DESC);
