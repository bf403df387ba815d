import { edgeFaultCode } from "../../domain/faults.ts";
import { at, listOf, textOf } from "./foreign-tree.ts";
import type { OnvifSession } from "./onvif-session.ts";

/** The library asks for answers within a minute and allows 80 s. */
const PULL_DEADLINE_MS = 90_000;
const MESSAGE_LIMIT = 20;
/** Cell motion, motion regions, and the older motion alarm (ONVIF Analytics §A, Imaging §A). */
const MOTION_TOPIC = /(CellMotionDetector\/Motion|MotionRegionDetector\/Motion|VideoSource\/MotionAlarm)\b/;
const STATE_ITEMS = new Set(["IsMotion", "State"]);
const TOPIC = /^[A-Za-z][A-Za-z0-9_/.-]{0,199}$/;
const ITEM_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const MAX_ITEMS = 32;
/** Events of other topics that are handed on in a minute; the rest is dropped, newest first to go. */
const MAX_EVENTS_A_MINUTE = 60;

/** What a camera's own analytics or electronics report, other than motion. */
export interface SideEvent {
  /** Without prefixes, e.g. `RuleEngine/LineDetector/Crossed`. */
  readonly topic: string;
  readonly active?: boolean;
  readonly data: Readonly<Record<string, string>>;
  readonly deviceAtMs: number | null;
}

export interface EventListener {
  /** Changes only; `deviceAtMs` is the device's own time, null where it gave none. */
  onMotion(isActive: boolean, deviceAtMs: number | null): void;
  onEvent?(event: SideEvent): void;
}

/**
 * Pulls the device's events (ONVIF Core §9.2, real-time pull point) until the signal aborts, and renews the subscription
 * after each pull, long before it expires. Throws on a fault: whoever runs it subscribes anew. The subscription is given
 * up at the end, also when the agent stops.
 */
export async function watchEvents(
  session: OnvifSession,
  signal: AbortSignal,
  listener: EventListener,
): Promise<void> {
  await untilAborted(
    session.call((client, done) => client.createPullPointSubscription(done)),
    signal,
  );
  let isActive = false;
  const rate = new EventRate();
  try {
    while (!signal.aborted) {
      const { data } = await untilAborted(
        session.call(
          (client, done) => client.pullMessages({ messageLimit: MESSAGE_LIMIT }, done),
          PULL_DEADLINE_MS,
        ),
        signal,
      );
      for (const message of listOf(at(data, "notificationMessage"))) {
        const motion = readMotion(message);
        if (motion !== null && motion.isActive !== isActive) {
          isActive = motion.isActive;
          listener.onMotion(isActive, motion.deviceAtMs);
        }
        const event = motion === null ? readEvent(message) : null;
        if (event && rate.takes(Date.now())) listener.onEvent?.(event);
      }
      await untilAborted(renew(session), signal);
    }
  } finally {
    // Devices have few subscriptions: one that is not given up is missed until it expires.
    await session.call((client, done) => client.unsubscribe(done), 2_000).catch(() => undefined);
  }
}

/** A device that knows no Renew may prolong by the pull itself: as long as that works, nothing is wrong. */
async function renew(session: OnvifSession): Promise<void> {
  try {
    await session.call((client, done) => client.renew({}, done));
  } catch (error) {
    const code = edgeFaultCode(error);
    if (code !== "CAMERA_PROTOCOL" && code !== "CAMERA_UNSUPPORTED") throw error;
  }
}

class EventRate {
  #windowAtMs = 0;
  #count = 0;

  takes(nowMs: number): boolean {
    if (Math.abs(nowMs - this.#windowAtMs) >= 60_000) {
      this.#windowAtMs = nowMs;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#count <= MAX_EVENTS_A_MINUTE;
  }
}

/** A long poll that ends when nobody waits for it any longer; the session stays open for the farewell. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        onAbort = () => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
      }),
    ]);
  } finally {
    work.catch(() => undefined);
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}

function topicOf(notification: unknown): string {
  return textOf(at(notification, "topic", "_")) ?? textOf(at(notification, "topic")) ?? "";
}

function timeOf(message: unknown): number | null {
  const time = at(message, "$", "UtcTime");
  const deviceAtMs = time instanceof Date ? time.getTime() : Date.parse(textOf(time) ?? "");
  return Number.isFinite(deviceAtMs) ? deviceAtMs : null;
}

function truth(value: string | undefined): boolean | null {
  const text = value?.toLowerCase();
  if (text === "true" || text === "1" || text === "active") return true;
  return text === "false" || text === "0" || text === "inactive" ? false : null;
}

/** What a notification says of motion; null for any other. */
function readMotion(notification: unknown): { isActive: boolean; deviceAtMs: number | null } | null {
  if (!MOTION_TOPIC.test(topicOf(notification))) return null;
  const message = at(notification, "message", "message");
  const item = listOf(at(message, "data", "simpleItem")).find((candidate) =>
    STATE_ITEMS.has(textOf(at(candidate, "$", "Name")) ?? ""),
  );
  const isActive = truth(textOf(at(item, "$", "Value")));
  return isActive === null ? null : { isActive, deviceAtMs: timeOf(message) };
}

/** Any other notification in the contract's form; null when it cannot be told in it, or is a state at subscription. */
export function readEvent(notification: unknown): SideEvent | null {
  const topic = topicOf(notification)
    .split("/")
    .map((step) => step.slice(step.indexOf(":") + 1))
    .join("/");
  if (!TOPIC.test(topic) || MOTION_TOPIC.test(topic)) return null;
  const message = at(notification, "message", "message");
  if (textOf(at(message, "$", "PropertyOperation")) === "Initialized") return null;
  const data: Record<string, string> = {};
  for (const part of ["source", "data"] as const) {
    for (const item of listOf(at(message, part, "simpleItem")).slice(0, MAX_ITEMS)) {
      const name = textOf(at(item, "$", "Name")) ?? "";
      const value = textOf(at(item, "$", "Value"));
      if (ITEM_NAME.test(name) && value !== undefined && Object.keys(data).length < MAX_ITEMS)
        data[name] = value.slice(0, 500);
    }
  }
  const state = Object.entries(data).find(([name]) => /^(Is|State|Logical)/.test(name));
  const active = truth(state?.[1]);
  return { topic, ...(active === null ? {} : { active }), data, deviceAtMs: timeOf(message) };
}
