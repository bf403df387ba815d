/** The ONVIF side against the npm client `onvif`, and against hostile requests. */
import { join } from "node:path";
import onvif from "onvif";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CameraSimulator, type SimulatedCamera } from "./index.ts";
import { makeTemporaryFolder } from "./test-support/tools.ts";

const USER = "operator";
const PASSWORD = "p<&>ss";

let folder: { path: string; remove: () => Promise<void> };
let simulator: CameraSimulator;
let camera: SimulatedCamera;

interface Profile {
  readonly $: { readonly token: string };
  readonly videoEncoderConfiguration: { readonly resolution: { readonly width: number } };
}

/** The part of the client that we use. */
interface Client {
  activeSource?: { readonly profileToken: string; readonly width: number };
  profiles: readonly Profile[];
  media2Support: boolean;
  on(event: "event" | "warning" | "eventsError", listener: (value: unknown) => void): void;
  removeAllListeners(event: string): void;
  [method: string]: unknown;
}

const Cam = (
  onvif as unknown as {
    Cam: new (options: Record<string, unknown>, done: (error: Error | null) => void) => Client;
  }
).Cam;

function connect(password = PASSWORD, options: Record<string, unknown> = {}): Promise<Client> {
  const { hostname, port } = new URL(camera.onvifUrl);
  return new Promise((resolve, reject) => {
    const client = new Cam(
      { hostname, port: Number(port), username: USER, password, timeout: 5000, ...options },
      (error) => (error ? reject(error) : resolve(client)),
    );
    client.on("warning", () => undefined);
  });
}

function call<T>(client: Client, method: string, ...args: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    (client[method] as (...all: unknown[]) => void)(...args, (error: Error | null, value: T) =>
      error ? reject(error) : resolve(value),
    );
  });
}

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  simulator = new CameraSimulator({ cacheDir: join(folder.path, "cache") });
  camera = await simulator.start({
    name: "Gate <1>",
    source: { kind: "clock" },
    username: USER,
    password: PASSWORD,
    serial: "SIM-1",
  });
});

afterAll(async () => {
  await simulator.stop();
  await folder.remove();
});

describe("the npm client onvif", () => {
  it("connects, reads device, profiles, stream and snapshot addresses through Media2", async () => {
    const client = await connect();
    expect(client.media2Support).toBe(true);
    expect(client.profiles.map((profile) => profile.$.token)).toEqual(["profile_main", "profile_sub"]);
    expect(client.activeSource).toMatchObject({ profileToken: "profile_main", width: 640 });
    expect(await call(client, "getDeviceInformation")).toMatchObject({
      manufacturer: "Huishi",
      serialNumber: "SIM-1",
    });
    expect(await call(client, "getStreamUri", { protocol: "RTSP" })).toMatchObject({
      uri: camera.rtspMainUrl,
    });
    expect(
      await call(client, "getStreamUri", { protocol: "RTSP", profileToken: "profile_sub" }),
    ).toMatchObject({ uri: camera.rtspSubUrl });
    expect(await call(client, "getSnapshotUri")).toMatchObject({ uri: camera.snapshotUrl });
    expect(await call(client, "getScopes")).toContainEqual(
      expect.objectContaining({ scopeItem: "onvif://www.onvif.org/name/Gate%20%3C1%3E" }),
    );
    expect(await call(client, "getHostname")).toMatchObject({ name: "SIM-1" });
    expect(await call(client, "getNetworkInterfaces")).toBeDefined();
  });

  it("reads the same through Media (Profile S)", async () => {
    const client = await connect();
    client.media2Support = false;
    await call(client, "getProfiles");
    expect(client.profiles[0]?.videoEncoderConfiguration.resolution.width).toBe(640);
    expect(await call(client, "getStreamUri", { protocol: "RTSP" })).toMatchObject({
      uri: camera.rtspMainUrl,
    });
    expect(await call(client, "getVideoEncoderConfigurations")).toHaveLength(2);
  });

  it("signs in by HTTP digest when it uses no WS-Security", async () => {
    const client = await connect(PASSWORD, { useWSSecurity: false });
    expect(client.profiles).toHaveLength(2);
  });

  it("gets no profile and no address with a wrong password", async () => {
    const before = camera.statistics().failedSignIns;
    const client = await connect("wrong");
    expect(client.activeSource).toBeUndefined();
    await expect(call(client, "getDeviceInformation")).rejects.toThrow(/not authorized/i);
    expect(camera.statistics().failedSignIns).toBeGreaterThan(before);
  });

  it("receives motion events by pull point", async () => {
    const client = await connect();
    const seen: string[] = [];
    const two = new Promise<void>((resolve) => {
      client.on("event", (message) => {
        seen.push(JSON.stringify(message));
        if (seen.length === 1) camera.setMotion(true);
        if (seen.length === 2) resolve();
      });
    });
    await two;
    expect(seen[0]).toContain("RuleEngine/CellMotionDetector/Motion");
    expect(seen[0]).toMatch(/"Value":false/);
    expect(seen[1]).toMatch(/"Value":true/);
    expect(camera.statistics().eventSubscriptions).toBe(1);
    client.removeAllListeners("event");
    await call(client, "unsubscribe");
    expect(camera.statistics().eventSubscriptions).toBe(0);
  });

  it("turns the camera, which logs it", async () => {
    const client = await connect();
    await call(client, "continuousMove", { x: 0.5, y: -0.5, zoom: 0, timeout: 1000 });
    await call(client, "stop", { panTilt: true, zoom: true });
    await call(client, "absoluteMove", { x: 0.25, y: 0.5, zoom: 0.75 });
    expect(await call(client, "getStatus", {})).toMatchObject({ position: { x: 0.25, y: 0.5, zoom: 0.75 } });
    await call(client, "relativeMove", { x: 0.25, y: 0, zoom: 0 });
    expect(Object.keys(await call<object>(client, "getPresets", {}))).toContain("Entrance");
    await call(client, "gotoPreset", { preset: "1" });
    await call(client, "getNodes");
    await expect(call(client, "gotoPreset", { preset: "99" })).rejects.toThrow(/preset/i);
    expect(camera.ptzCommands.map((command) => command.command)).toEqual([
      "ContinuousMove",
      "Stop",
      "AbsoluteMove",
      "RelativeMove",
      "GotoPreset",
    ]);
    expect(camera.ptzCommands[0]).toMatchObject({ pan: 0.5, tilt: -0.5 });
  });
});

describe("the snapshot", () => {
  it("is a JPEG for who signs in, by Basic or not at all otherwise", async () => {
    const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;
    const answer = await fetch(camera.snapshotUrl, { headers: { authorization } });
    expect(answer.headers.get("content-type")).toBe("image/jpeg");
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect([bytes[0], bytes[1], bytes.at(-2), bytes.at(-1)]).toEqual([0xff, 0xd8, 0xff, 0xd9]);
    const refused = await fetch(camera.snapshotUrl);
    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toMatch(/^Digest .*, Basic realm=/);
    expect(
      (
        await fetch(camera.snapshotUrl, {
          headers: { authorization: `Basic ${Buffer.from("a:b").toString("base64")}` },
        })
      ).status,
    ).toBe(401);
  });
});

describe("hostile requests", () => {
  const post = (body: string): Promise<Response> => fetch(camera.onvifUrl, { method: "POST", body });

  it("are refused with a fault or a status, and nothing is answered without signing in", async () => {
    expect((await post("not xml")).status).toBe(400);
    expect((await post('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')).status).toBe(400);
    expect((await post("x".repeat(300_000))).status).toBe(413);
    expect((await fetch(camera.onvifUrl)).status).toBe(405);
    expect((await fetch(camera.onvifUrl.replace("onvif/device_service", "../../etc/passwd"))).status).toBe(
      404,
    );
    const operation = (namespace: string, name: string): string =>
      `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><${name} xmlns="${namespace}"/></e:Body></e:Envelope>`;
    expect((await post(operation("http://www.onvif.org/ver10/device/wsdl", "GetUsers"))).status).toBe(401);
    expect((await post(operation("http://www.onvif.org/ver10/media/wsdl", "GetServices"))).status).toBe(401);
    const open = await post(operation("http://www.onvif.org/ver10/device/wsdl", "GetSystemDateAndTime"));
    expect(open.status).toBe(200);
    expect(await open.text()).toContain(`<tt:Year>${new Date().getUTCFullYear()}</tt:Year>`);
    expect((await post(operation("http://www.onvif.org/ver10/device/wsdl", "constructor"))).status).toBe(401);
  });
});
