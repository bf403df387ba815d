import {
  demandFilter,
  MAX_SPARE_CONNECTIONS,
  mediaClientId,
  type ParsedTopic,
  parseTopic,
  spareClientId,
} from "@huishi/contracts";

/**
 * An agent has two connections: one for events, status and demand, one for media alone. On a line that loses much it
 * opens spare ones, on which it may only repeat events.
 */
export type ConnectionKind = "events" | "media" | "spare";

/** Who a connection belongs to, once it has signed in. */
export interface Session {
  readonly agentId: string;
  readonly kind: ConnectionKind;
}

interface Right {
  readonly action: "publish" | "subscribe";
  readonly topic: ParsedTopic["kind"];
  readonly connection: ConnectionKind;
  readonly maxQos: 0 | 1;
  readonly mayBeWill: boolean;
}

/** The one table of topic rights. All of them hold below the agent's own prefix only. */
const RIGHTS: readonly Right[] = [
  { action: "publish", topic: "events", connection: "events", maxQos: 1, mayBeWill: false },
  { action: "publish", topic: "events", connection: "spare", maxQos: 1, mayBeWill: false },
  { action: "publish", topic: "status", connection: "events", maxQos: 1, mayBeWill: true },
  { action: "publish", topic: "media", connection: "media", maxQos: 0, mayBeWill: false },
  { action: "publish", topic: "reply", connection: "events", maxQos: 1, mayBeWill: false },
  { action: "publish", topic: "upload", connection: "media", maxQos: 1, mayBeWill: false },
  { action: "subscribe", topic: "config", connection: "events", maxQos: 1, mayBeWill: false },
  { action: "subscribe", topic: "command", connection: "events", maxQos: 1, mayBeWill: false },
  { action: "subscribe", topic: "ack", connection: "events", maxQos: 1, mayBeWill: false },
  { action: "subscribe", topic: "demand", connection: "events", maxQos: 1, mayBeWill: false },
];

/**
 * Whose connection user name and client id stand for, or null when they do not belong together. The media connection
 * may give its client id as user name too, as brokers need it that bind the client id to the account.
 */
export function sessionOf(username: string, clientId: string): Session | null {
  const agentId =
    username === clientId && username.endsWith(MEDIA) ? username.slice(0, -MEDIA.length) : username;
  if (clientId === mediaClientId(agentId)) return { agentId, kind: "media" };
  if (isSpare(agentId, clientId)) return { agentId, kind: "spare" };
  return clientId === agentId ? { agentId, kind: "events" } : null;
}
const MEDIA = mediaClientId("");

function isSpare(agentId: string, clientId: string): boolean {
  for (let number = 1; number <= MAX_SPARE_CONNECTIONS; number++) {
    if (clientId === spareClientId(agentId, number)) return true;
  }
  return false;
}

/** What the topic means to this session, or null when it may not publish there. */
export function mayPublish(session: Session, topic: string, qos: number): ParsedTopic | null {
  const parsed = parseTopic(topic);
  const right = rightFor(session, "publish", parsed);
  return right && qos <= right.maxQos ? parsed : null;
}

/** May this session leave that Will? Only on its own status topic. */
export function mayLeaveWill(session: Session, topic: string, qos: number): boolean {
  const right = rightFor(session, "publish", parseTopic(topic));
  return right !== undefined && right.mayBeWill && qos <= right.maxQos;
}

/** May this session subscribe to that filter? Its own acknowledgements and demands; no wider wildcard. */
export function maySubscribe(session: Session, filter: string): boolean {
  if (filter === demandFilter(session.agentId)) return session.kind === "events";
  return rightFor(session, "subscribe", parseTopic(filter)) !== undefined;
}

function rightFor(session: Session, action: Right["action"], topic: ParsedTopic | null): Right | undefined {
  if (topic?.agentId !== session.agentId) return undefined;
  return RIGHTS.find(
    (right) => right.action === action && right.topic === topic.kind && right.connection === session.kind,
  );
}
