import {
  AgentCommandSchema,
  AgentConfigSchema,
  AgentStatusSchema,
  ClientMessageSchema,
  CommandReplySchema,
  EventAckSchema,
  EventBatchEnvelope,
  EventSchema,
  MAX_AGENT_CONFIG_BYTES,
  MAX_BATCH_EVENTS,
  MAX_COMMAND_BYTES,
  MAX_EVENT_BATCH_BYTES,
  MAX_EVENT_BYTES,
  MAX_FRAGMENT_BYTES,
  MAX_UPLOAD_CHUNK_BYTES,
  MediaDemandSchema,
  ServerMessageSchema,
  SOCKET_CLOSE,
  SOCKET_PATH,
  TOPIC_ROOT,
} from "@huishi/contracts";
import type { TSchema } from "typebox";

const AGENT = {
  agent: {
    description:
      "Id of the agent: MQTT user name and client id of its events connection; those of its media connection are the id and `_media`.",
  },
};
const CAMERA = { camera: { description: "Id of a camera of this agent." } };

/** The AsyncAPI 3.0 document of MQTT (agents) and of the WebSocket (dashboard), made from the contracts. */
export function asyncApiDocument(version: string): object {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Huishi messages",
      version,
      description:
        "MQTT between agents and the centre, in its own process (3.1.1) or through an external broker (3.1.1 or 5), and the dashboard's WebSocket. The topic, not the payload, is an agent's identity.",
      license: { name: "Apache-2.0" },
    },
    servers: {
      mqtt: mqttServer("1883", "mqtt", "3.1.1", "The centre itself, without TLS: on its own machine only."),
      mqtts: mqttServer("8883", "mqtts", "3.1.1", "The centre itself, with TLS 1.2 or newer."),
      broker: mqttServer("8883", "mqtts", "3.1.1", "An external broker, MQTT 3.1.1 (deploy/mosquitto)."),
      broker5: mqttServer("8883", "mqtts", "5", "An external broker, MQTT 5 (deploy/mosquitto)."),
      socket: { host: "{host}", protocol: "ws", variables: HOST },
    },
    defaultContentType: "application/json",
    channels: { ...mqttChannels(), socket: socketChannel() },
    operations: {
      receiveEvents: mqttOperation(
        "receive",
        "events",
        1,
        "Acknowledged after the commit, never before: by the PUBACK at the centre itself, by an EventAck at a broker.",
      ),
      sendAck: mqttOperation(
        "send",
        "ack",
        1,
        "The batch that asked for it (`batch`) is committed. Where a broker stands between, only this says so.",
      ),
      receiveStatus: mqttOperation("receive", "status", 1, "Retained; the Will says `online: false`."),
      receiveMedia: mqttOperation(
        "receive",
        "media",
        0,
        "Best effort; dropped at the edge under back-pressure.",
      ),
      sendDemand: mqttOperation("send", "demand", 1, "Retained; holds until its lease ends."),
      ...controlOperations(),
      receiveFromClient: {
        action: "receive",
        channel: refTo("socket"),
        messages: [messageOf("socket", "fromClient")],
      },
      sendToClient: {
        action: "send",
        channel: refTo("socket"),
        messages: [messageOf("socket", "toClient"), messageOf("socket", "picture")],
      },
    },
    components: {
      schemas: {
        EventBatch: plain(EventBatchEnvelope),
        Event: plain(EventSchema),
        EventAck: plain(EventAckSchema),
        AgentConfig: plain(AgentConfigSchema),
        AgentCommand: plain(AgentCommandSchema),
        CommandReply: plain(CommandReplySchema),
        AgentStatus: plain(AgentStatusSchema),
        MediaDemand: plain(MediaDemandSchema),
        ClientMessage: plain(ClientMessageSchema),
        ServerMessage: plain(ServerMessageSchema),
      },
    },
  };
}

const HOST = { host: { default: "127.0.0.1" } };
const MQTT_SERVERS = ["mqtt", "mqtts", "broker", "broker5"];
const BINARY = { type: "string", format: "binary" };

function mqttServer(port: string, protocol: string, protocolVersion: string, description: string): object {
  return { host: `{host}:${port}`, protocol, protocolVersion, description, variables: HOST };
}

function mqttChannels(): Record<string, object> {
  const channel = (topic: string, message: object, parameters: object): object => ({
    address: `${TOPIC_ROOT}/${topic}`,
    servers: MQTT_SERVERS.map((name) => ({ $ref: `#/servers/${name}` })),
    parameters,
    messages: { message },
  });
  return {
    events: channel(
      "{agent}/events",
      {
        summary: `A batch of at most ${MAX_BATCH_EVENTS} events and ${MAX_EVENT_BATCH_BYTES} bytes, each event at most ${MAX_EVENT_BYTES} bytes and checked by itself against Event.`,
        payload: schema("EventBatch"),
      },
      AGENT,
    ),
    ack: channel("{agent}/ack", { payload: schema("EventAck") }, AGENT),
    status: channel("{agent}/status", { payload: schema("AgentStatus") }, AGENT),
    media: channel(
      "{agent}/media/{camera}/{stream}",
      {
        summary: `A fragment of at most ${MAX_FRAGMENT_BYTES} bytes of one access unit (packages/contracts, media-framing).`,
        contentType: "application/octet-stream",
        payload: BINARY,
      },
      { ...AGENT, ...CAMERA, stream: { enum: ["main", "sub"] } },
    ),
    demand: channel("{agent}/demand/{camera}", { payload: schema("MediaDemand") }, { ...AGENT, ...CAMERA }),
    config: channel(
      "{agent}/config",
      {
        summary: `At most ${MAX_AGENT_CONFIG_BYTES} bytes. Holds no secret.`,
        payload: schema("AgentConfig"),
      },
      AGENT,
    ),
    command: channel("{agent}/command", control("AgentCommand"), AGENT),
    reply: channel("{agent}/reply", control("CommandReply"), AGENT),
    upload: channel(
      "{agent}/upload/{transfer}",
      {
        summary: `A chunk of at most ${MAX_UPLOAD_CHUNK_BYTES} bytes (packages/contracts, upload-framing).`,
        contentType: "application/octet-stream",
        payload: BINARY,
      },
      { ...AGENT, transfer: { description: "Id that the command which asked for it names." } },
    ),
  };
}

function control(name: string): object {
  return { summary: `At most ${MAX_COMMAND_BYTES} bytes.`, payload: schema(name) };
}

function controlOperations(): Record<string, object> {
  return {
    sendConfig: mqttOperation(
      "send",
      "config",
      1,
      "Retained; applied or refused as a whole (AgentStatus.config).",
    ),
    sendCommand: mqttOperation(
      "send",
      "command",
      1,
      "May come twice: it is done once and answered each time.",
    ),
    receiveReply: mqttOperation("receive", "reply", 1, "The first reply to a command counts."),
    receiveUpload: mqttOperation("receive", "upload", 1, "On the media connection; chunks may come twice."),
  };
}

function socketChannel(): object {
  const codes = Object.entries(SOCKET_CLOSE).map(([name, code]) => `${code} ${name}`);
  return {
    address: SOCKET_PATH,
    servers: [{ $ref: "#/servers/socket" }],
    description: `Session cookie and own Origin. Close codes: ${codes.join(", ")}.`,
    messages: {
      fromClient: { summary: "Text frame; `hello` comes first.", payload: schema("ClientMessage") },
      toClient: { summary: "Text frame.", payload: schema("ServerMessage") },
      picture: {
        summary:
          "Binary frame: channel number of `watching` (2 bytes, big endian), then one whole access unit.",
        contentType: "application/octet-stream",
        payload: BINARY,
      },
    },
  };
}

function mqttOperation(action: "send" | "receive", channel: string, qos: 0 | 1, summary: string): object {
  const messages = [messageOf(channel, "message")];
  return { action, channel: refTo(channel), summary, messages, bindings: { mqtt: { qos } } };
}

const schema = (name: string): object => ({ $ref: `#/components/schemas/${name}` });
const refTo = (channel: string): object => ({ $ref: `#/channels/${channel}` });
const messageOf = (channel: string, message: string): object => ({
  $ref: `#/channels/${channel}/messages/${message}`,
});

/** The JSON Schema alone, without TypeBox's own marks. */
function plain(typeBoxSchema: TSchema): object {
  return JSON.parse(JSON.stringify(typeBoxSchema)) as object;
}
