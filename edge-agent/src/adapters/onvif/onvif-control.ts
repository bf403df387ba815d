import type { Imaging, PtzMove } from "@huishi/contracts";
import type { CameraControl } from "../../application/ports.ts";
import { quirksOf, tellsOfLockOut } from "../../domain/camera-quirks.ts";
import { EdgeError, edgeFaultCode } from "../../domain/faults.ts";
import { type Account, authorization } from "../rtsp/digest.ts";
import { exchange, type HttpQuestion } from "./bounded-http.ts";
import { at, bodyOf, elementText, textOf } from "./foreign-tree.ts";
import { imagingRequest, readImaging, settingRequest } from "./imaging-requests.ts";
import { OnvifSession, type OnvifTarget, readProfiles, readServices } from "./onvif-session.ts";
import { ptzRequests, readPresets, readStatus } from "./ptz-requests.ts";

const MAX_SNAPSHOT_BYTES = 8 * 1024 * 1024;
const SNAPSHOT_DEADLINE_MS = 10_000;

/** What the calls need to know of a camera; read once, and again after a fault. */
interface Plan {
  readonly profile: string;
  readonly source: string | null;
  readonly services: ReadonlySet<string>;
  /** Offered, and it works. */
  readonly hasMedia2: boolean;
  readonly manufacturer: string;
  readonly model: string;
}

/** PTZ, imaging and snapshot of one ONVIF camera. */
export class OnvifControl implements CameraControl {
  readonly #target: OnvifTarget;
  #plan: Plan | null = null;

  constructor(target: OnvifTarget) {
    this.#target = target;
  }

  move(move: PtzMove, signal: AbortSignal): Promise<Record<string, unknown>> {
    return this.#with(signal, async (session, plan) => {
      this.#need(plan, "ptz", "no PTZ");
      const namesOneAxis = move.kind === "absolute" && (move.pan === undefined) !== (move.tilt === undefined);
      const ask = async (body: string): Promise<string> => (await session.ask("ptz", body)).xml;
      const statusRequest = ptzRequests({ kind: "status" }, plan.profile)[0] as string;
      const present = namesOneAxis ? readStatus(await ask(statusRequest)) : {};
      if (namesOneAxis && (present.pan === undefined || present.tilt === undefined))
        throw this.#unsupported("tells no position: name both pan and tilt");
      const quirks = quirksOf(plan.manufacturer, plan.model);
      let xml = "";
      for (const body of ptzRequests(move, plan.profile, { present, quirks })) xml = await ask(body);
      if (move.kind === "list_presets") return { presets: readPresets(xml) };
      if (move.kind === "status") return { status: readStatus(xml) };
      if (move.kind === "set_preset") return { preset: elementText(xml, "PresetToken") ?? move.preset ?? "" };
      return {};
    });
  }

  image(set: Imaging | undefined, signal: AbortSignal): Promise<Imaging> {
    return this.#with(signal, async (session, plan) => {
      this.#need(plan, "imaging", "no imaging settings");
      const { source } = plan;
      if (source === null) throw this.#unsupported("has no video source");
      const read = async (name: "GetImagingSettings" | "GetOptions"): Promise<unknown> =>
        bodyOf((await session.ask("imaging", imagingRequest(name, source))).data);
      const options = at(await read("GetOptions"), "getOptionsResponse", "imagingOptions");
      if (set !== undefined && Object.keys(set).length > 0) {
        const request = settingRequest(source, set, options);
        if (request === null) throw this.#unsupported("does not have one of these settings");
        await session.ask("imaging", request);
      }
      const answer = await read("GetImagingSettings");
      return readImaging(at(answer, "getImagingSettingsResponse", "imagingSettings"), options);
    });
  }

  snapshot(signal: AbortSignal): Promise<Buffer> {
    return this.#with(signal, async (session, plan) => {
      const answer = await session.call((client, done) =>
        client.getSnapshotUri({ profileToken: plan.profile }, done),
      );
      const url = this.#snapshotUrl(elementText(answer.xml, "Uri") ?? "");
      return this.#fetch(url, signal);
    });
  }

  /** The path that the camera named, on the camera's own host: what it says of another host is not followed. */
  #snapshotUrl(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || (url.protocol !== "http:" && url.protocol !== "https:"))
      throw this.#unsupported("offers no snapshot over HTTP");
    url.hostname = new URL(this.#target.serviceUrl).hostname;
    url.username = "";
    url.password = "";
    return url;
  }

  async #fetch(url: URL, signal: AbortSignal): Promise<Buffer> {
    const { account, reach } = this.#target;
    const to = await reach(url.hostname, signal);
    const question: HttpQuestion = {
      url,
      to,
      method: "GET",
      maxBytes: MAX_SNAPSHOT_BYTES,
      deadlineMs: SNAPSHOT_DEADLINE_MS,
      signal,
    };
    let answer = await exchange(question);
    if (answer.status === 401 && account) {
      const header = snapshotAuthorization(answer.challenges, url, account);
      if (header !== null) answer = await exchange({ ...question, headers: { authorization: header } });
    }
    const where = `the camera at ${url.host}`;
    if (tellsOfLockOut(answer.status, answer.status === 200 ? "" : answer.body.toString("utf8")))
      throw new EdgeError("CAMERA_LOCKED_OUT", `${where} has locked the account`);
    if (answer.status === 401) throw new EdgeError("CAMERA_AUTH_FAILED", `${where} refused the account`);
    if (answer.status !== 200)
      throw new EdgeError("CAMERA_PROTOCOL", `${where} gives no snapshot (status ${answer.status})`);
    // The type is what it says; the first bytes (ISO 10918-1 §B.1.1.3, SOI) are what it is.
    const isJpeg = answer.body[0] === 0xff && answer.body[1] === 0xd8 && answer.body[2] === 0xff;
    if (!/^image\/jpe?g\b/i.test(answer.headers["content-type"] ?? "") || !isJpeg)
      throw new EdgeError("CAMERA_ANSWER_REFUSED", `${where} gave something else than a JPEG`);
    return answer.body;
  }

  async #with<T>(signal: AbortSignal, work: (session: OnvifSession, plan: Plan) => Promise<T>): Promise<T> {
    const session = await OnvifSession.open(this.#target, signal);
    try {
      const plan = await this.#readPlan(session);
      return await work(session, plan);
    } catch (error) {
      if (edgeFaultCode(error) !== "CAMERA_UNSUPPORTED") this.#plan = null;
      throw error;
    } finally {
      session.close();
    }
  }

  async #readPlan(session: OnvifSession): Promise<Plan> {
    // The one sign-in: nothing else is asked before it is known to be good.
    const information = await session.call((client, done) => client.getDeviceInformation(done));
    await readServices(session);
    if (this.#plan) {
      session.client.media2Support = this.#plan.hasMedia2;
      return this.#plan;
    }
    const profiles = await readProfiles(session);
    const chosen = profiles.find((profile) => at(profile, "PTZConfiguration") !== undefined) ?? profiles[0];
    const profile = textOf(at(chosen, "$", "token"));
    if (profile === undefined) throw this.#unsupported("has no profile");
    this.#plan = {
      profile,
      source: textOf(at(chosen, "videoSourceConfiguration", "sourceToken")) ?? null,
      services: new Set(Object.keys(session.client.uri ?? {})),
      hasMedia2: session.client.media2Support === true,
      manufacturer: elementText(information.xml, "Manufacturer") ?? "",
      model: elementText(information.xml, "Model") ?? "",
    };
    return this.#plan;
  }

  #need({ services }: Plan, service: string, what: string): void {
    if (!services.has(service)) throw this.#unsupported(`offers ${what}`);
  }

  #unsupported(what: string): EdgeError {
    return new EdgeError(
      "CAMERA_UNSUPPORTED",
      `the camera at ${new URL(this.#target.serviceUrl).host} ${what}`,
    );
  }
}

/** Digest where it is offered; a password in clear only when the camera knows nothing better. */
function snapshotAuthorization(challenges: readonly string[], url: URL, account: Account): string | null {
  return authorization(challenges, { method: "GET", uri: url.pathname + url.search }, account);
}
