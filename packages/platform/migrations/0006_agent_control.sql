-- What the centre tells its agents: their keys, their configuration, and commands with their outcome.

-- Public halves only; the private ones never leave the agent.
CREATE TABLE agent_key (
  agent_id   text NOT NULL REFERENCES agent (id),
  kind       text NOT NULL CHECK (kind IN ('sign', 'seal')),     -- Ed25519, X25519
  key_id     text NOT NULL,                                      -- first 16 hex digits of the key's sha-256
  public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz,
  PRIMARY KEY (agent_id, kind, key_id)
);

-- The secret that an agent is changing to: both are good until the new one signed in once.
ALTER TABLE agent ADD COLUMN next_secret_hash bytea, ADD COLUMN secret_changed_at timestamptz;

CREATE TABLE agent_config (
  agent_id         text PRIMARY KEY REFERENCES agent (id),
  revision         bigint NOT NULL CHECK (revision > 0),
  document         jsonb NOT NULL,                               -- contracts: AgentConfig
  changed_at       timestamptz NOT NULL DEFAULT now(),
  changed_by       text NOT NULL,
  applied_revision bigint,
  applied_state    text CHECK (applied_state IN ('applied', 'refused')),
  applied_code     text,
  applied_message  text,
  applied_at       timestamptz
);

-- Holds no secret in clear: a camera's account stands in it sealed to the agent's own key.
CREATE TABLE agent_command (
  id         text PRIMARY KEY,
  agent_id   text NOT NULL REFERENCES agent (id),
  body       jsonb NOT NULL,                                     -- contracts: CommandBody
  valid_ms   integer NOT NULL CHECK (valid_ms > 0),
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at    timestamptz,
  replied_at timestamptz,
  state      text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'sent', 'done', 'failed', 'expired')),
  ok         boolean,
  code       text,
  message    text,
  result     jsonb
);
CREATE INDEX agent_command_open ON agent_command (agent_id, created_at) WHERE state IN ('wanted', 'sent');
CREATE INDEX agent_command_time ON agent_command (created_at);

-- huishi_agent: `config <agent>`, `command <agent>`, `revoked <agent>`; ingest listens. huishi_reply: `<command>`.
CREATE FUNCTION huishi_tell_config() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('huishi_agent', 'config ' || NEW.agent_id);
  RETURN NULL;
END $$;
CREATE TRIGGER agent_config_told AFTER INSERT OR UPDATE OF revision ON agent_config
  FOR EACH ROW EXECUTE FUNCTION huishi_tell_config();

CREATE FUNCTION huishi_tell_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('huishi_agent', 'command ' || NEW.agent_id);
  RETURN NULL;
END $$;
CREATE TRIGGER agent_command_told AFTER INSERT ON agent_command
  FOR EACH ROW EXECUTE FUNCTION huishi_tell_command();

CREATE FUNCTION huishi_tell_reply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('huishi_reply', NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER agent_command_replied AFTER UPDATE OF state ON agent_command
  FOR EACH ROW WHEN (NEW.state IN ('done', 'failed', 'expired')) EXECUTE FUNCTION huishi_tell_reply();

CREATE FUNCTION huishi_tell_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('huishi_agent', 'revoked ' || NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER agent_revoked_told AFTER UPDATE OF revoked_at ON agent
  FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION huishi_tell_revoked();
