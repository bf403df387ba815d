import { at, listOf, textOf } from "./foreign-tree.ts";
import type { OnvifSession } from "./onvif-session.ts";

/** The library asks for answers within a minute and allows 80 s. */
const PULL_DEADLINE_MS = 90_000;
const MESSAGE_LIMIT = 20;
/** Cell motion, motion regions, and the older motion alarm (ONVIF Analytics §A, Imaging §A). */
const MOTION_TOPIC = /(CellMotionDetector\/Motion|MotionRegionDetector\/Motion|VideoSource\/MotionAlarm)\b/;
const STATE_ITEMS = new Set(["IsMotion", "State"]);

/**
 * Pulls the device's motion events (ONVIF Core §9.2, real-time pull point) until the signal aborts. Reports
 * changes only; `deviceAtMs` is the device's own time, null where it gave none.
 */
export async function watchMotionEvents(
  session: OnvifSession,
  signal: AbortSignal,
  onMotion: (isActive: boolean, deviceAtMs: number | null) => void,
): Promise<void> {
  await session.call((client, done) => client.createPullPointSubscription(done));
  let isActive = false;
  try {
    while (!signal.aborted) {
      const { data } = await session.call(
        (client, done) => client.pullMessages({ messageLimit: MESSAGE_LIMIT }, done),
        PULL_DEADLINE_MS,
      );
      for (const message of listOf(at(data, "notificationMessage"))) {
        const motion = readMotion(message);
        if (motion === null || motion.isActive === isActive) continue;
        isActive = motion.isActive;
        onMotion(isActive, motion.deviceAtMs);
      }
      await session.call((client, done) => client.renew({}, done));
    }
  } finally {
    if (!signal.aborted) {
      await session.call((client, done) => client.unsubscribe(done), 2_000).catch(() => undefined);
    }
  }
}

/** What a notification says of motion; null for any other. */
function readMotion(notification: unknown): { isActive: boolean; deviceAtMs: number | null } | null {
  const topic = textOf(at(notification, "topic", "_")) ?? textOf(at(notification, "topic")) ?? "";
  if (!MOTION_TOPIC.test(topic)) return null;
  const message = at(notification, "message", "message");
  const item = listOf(at(message, "data", "simpleItem")).find((candidate) =>
    STATE_ITEMS.has(textOf(at(candidate, "$", "Name")) ?? ""),
  );
  const value = textOf(at(item, "$", "Value"))?.toLowerCase();
  if (value !== "true" && value !== "false" && value !== "1" && value !== "0") return null;
  const time = at(message, "$", "UtcTime");
  const deviceAtMs = time instanceof Date ? time.getTime() : Date.parse(textOf(time) ?? "");
  return {
    isActive: value === "true" || value === "1",
    deviceAtMs: Number.isFinite(deviceAtMs) ? deviceAtMs : null,
  };
}
