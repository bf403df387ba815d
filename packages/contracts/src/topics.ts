/**
 * MQTT topics. The topic, not the payload, is the identity: an agent may publish and subscribe below
 * `huishi/v1/<its own id>/` only, and never with a wildcard above that prefix.
 *
 * | topic | QoS | direction | payload |
 * |---|---|---|---|
 * | huishi/v1/{agent}/events | 1 | agent -> centre | EventBatch (JSON) |
 * | huishi/v1/{agent}/status | 1, retained, Will | agent -> centre | AgentStatus (JSON) |
 * | huishi/v1/{agent}/media/{camera}/{stream} | 0 | agent -> centre | media fragment (binary) |
 * | huishi/v1/{agent}/ack | 1 | centre -> agent | EventAck (JSON), where a broker stands between |
 * | huishi/v1/{agent}/demand/{camera} | 1, retained | centre -> agent | MediaDemand (JSON) |
 * | huishi/v1/{agent}/config | 1, retained | centre -> agent | AgentConfig (JSON) |
 * | huishi/v1/{agent}/command | 1 | centre -> agent | AgentCommand (JSON) |
 * | huishi/v1/{agent}/reply | 1 | agent -> centre | CommandReply (JSON) |
 * | huishi/v1/{agent}/upload/{transfer} | 1 | agent -> centre, media connection | upload chunk (binary) |
 */
export const TOPIC_ROOT = "huishi/v1";

export const eventsTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/events`;
export const statusTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/status`;
export const ackTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/ack`;
export const mediaTopic = (agentId: string, cameraId: string, stream: string): string =>
  `${TOPIC_ROOT}/${agentId}/media/${cameraId}/${stream}`;
export const demandTopic = (agentId: string, cameraId: string): string =>
  `${TOPIC_ROOT}/${agentId}/demand/${cameraId}`;
export const configTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/config`;
export const commandTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/command`;
export const replyTopic = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/reply`;
export const uploadTopic = (agentId: string, transferId: string): string =>
  `${TOPIC_ROOT}/${agentId}/upload/${transferId}`;
export const demandFilter = (agentId: string): string => `${TOPIC_ROOT}/${agentId}/demand/+`;

/** An agent's second connection, for media alone, signs in under this client id (`_` cannot stand in an id). */
export const mediaClientId = (agentId: string): string => `${agentId}_media`;

/** Spare connections that an agent may open beside its own, for events alone, when a line loses much. */
export const MAX_SPARE_CONNECTIONS = 3;
/** @param number from 1 to MAX_SPARE_CONNECTIONS */
export const spareClientId = (agentId: string, number: number): string => `${agentId}_spare${number}`;

/** Topics that are an agent's own and have no further part. */
const PLAIN_KINDS = ["events", "status", "ack", "config", "command", "reply"] as const;
type PlainKind = (typeof PLAIN_KINDS)[number];

export type ParsedTopic =
  | { readonly kind: PlainKind; readonly agentId: string }
  | { readonly kind: "upload"; readonly agentId: string; readonly transferId: string }
  | {
      readonly kind: "media";
      readonly agentId: string;
      readonly cameraId: string;
      readonly stream: "main" | "sub";
    }
  | { readonly kind: "demand"; readonly agentId: string; readonly cameraId: string };

/** What a topic name means, or null when it is none of ours. Wildcards are not names and give null. */
export function parseTopic(topic: string): ParsedTopic | null {
  const [root, version, agentId, kind, cameraId, stream, ...rest] = topic.split("/");
  if (`${root}/${version}` !== TOPIC_ROOT || agentId === undefined || rest.length > 0) return null;
  if (!/^[a-z0-9-]{1,64}$/.test(agentId)) return null;
  if (cameraId === undefined) {
    const plain = PLAIN_KINDS.find((known) => known === kind);
    return plain === undefined ? null : { kind: plain, agentId };
  }
  if (!/^[a-z0-9-]{1,64}$/.test(cameraId)) return null;
  if (kind === "upload" && stream === undefined) return { kind, agentId, transferId: cameraId };
  if (kind === "demand" && stream === undefined) return { kind, agentId, cameraId };
  if (kind === "media" && (stream === "main" || stream === "sub")) return { kind, agentId, cameraId, stream };
  return null;
}
