import type { CameraCapabilities } from "@huishi/contracts";
import { edgeFaultCode } from "../../domain/faults.ts";
import { at, bodyOf, elementText } from "./foreign-tree.ts";
import type { OnvifAnswer, OnvifSession } from "./onvif-session.ts";
import { ptzRequests } from "./ptz-requests.ts";

type Capability = CameraCapabilities[number];

const OF_SERVICE: Readonly<Record<string, Capability>> = {
  imaging: "imaging",
  events: "motion_events",
  media2: "media2",
};
/** Rules that only say that something moved (ONVIF Analytics §A): `motion_events` stands for them. */
const MOTION_RULES = new Set(["cellMotionDetector", "motionRegionDetector"]);
const EVENT_PROPERTIES = '<GetEventProperties xmlns="http://www.onvif.org/ver10/events/wsdl"/>';

/**
 * What a camera can do beside streams: by the services that it names, and by what they answer. What is refused to this
 * account is not offered to us; a camera that falls silent or locks the account is a fault of its own.
 *
 * @throws EdgeError CAMERA_UNREACHABLE, CAMERA_LOCKED_OUT
 */
export async function readCapabilities(
  session: OnvifSession,
  profile: { readonly token: string | undefined; readonly hasPtz: boolean },
): Promise<CameraCapabilities> {
  const offered = (service: string): boolean => session.client.uri?.[service] !== undefined;
  const found = new Set<Capability>();
  for (const [service, capability] of Object.entries(OF_SERVICE)) if (offered(service)) found.add(capability);
  const { token, hasPtz } = profile;
  if (token !== undefined) {
    const snapshot = await offer(
      session.call((client, done) => client.getSnapshotUri({ profileToken: token }, done)),
    );
    if (/^https?:\/\//i.test(elementText(snapshot?.xml ?? "", "Uri") ?? "")) found.add("snapshot");
    if (hasPtz && offered("ptz")) {
      const [request = ""] = ptzRequests({ kind: "list_presets" }, token);
      if (await offer(session.ask("ptz", request))) found.add("presets");
    }
  }
  if (offered("events") && hasAnalytics(await offer(session.ask("events", EVENT_PROPERTIES))))
    found.add("analytics_events");
  return [...found];
}

async function offer(question: Promise<OnvifAnswer>): Promise<OnvifAnswer | null> {
  try {
    return await question;
  } catch (error) {
    const code = edgeFaultCode(error);
    if (code === null || code === "CAMERA_UNREACHABLE" || code === "CAMERA_LOCKED_OUT") throw error;
    return null;
  }
}

/** Rules of the camera's own other than motion (ONVIF Core §9.8: the topic set). */
function hasAnalytics(properties: OnvifAnswer | null): boolean {
  const topics = at(bodyOf(properties?.data), "getEventPropertiesResponse", "topicSet", "ruleEngine");
  if (topics === null || typeof topics !== "object") return false;
  return Object.keys(topics).some((name) => /^[a-z]/i.test(name) && !MOTION_RULES.has(name));
}
