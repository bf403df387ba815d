import { CameraSimulator } from "@huishi/camera-simulator";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NetworkGuard } from "../network-guard/network-guard.ts";
import { OnvifControl } from "./onvif-control.ts";

const guard = new NetworkGuard({ typedHosts: ["127.0.0.1"] });
const account = { username: "admin", password: "secret-1" };
const never = new AbortController().signal;
const control = (serviceUrl: string, given = account) =>
  new OnvifControl({
    serviceUrl,
    account: given,
    reach: (host, signal) => guard.assertReachable(host, signal),
  });

describe("a simulated camera", () => {
  let folder: string;
  let simulator: CameraSimulator;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "control-"));
    simulator = new CameraSimulator({ cacheDir: folder });
  });
  afterEach(async () => {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const start = () =>
    simulator.start({ name: "Gate", source: { kind: "clock", width: 320, height: 240, fps: 5 }, ...account });

  test("is turned, stopped, sent home and to a preset, and tells where it is", async () => {
    const camera = await start();
    const ptz = control(camera.onvifUrl);
    await ptz.move({ kind: "absolute", pan: 0.5, tilt: -0.25, zoom: 0 }, never);
    await ptz.move({ kind: "absolute", tilt: 0.1, speed: 0.5 }, never);
    await ptz.move({ kind: "relative", pan: 0.1 }, never);
    await ptz.move({ kind: "continuous", zoom: 0.5, timeoutMs: 500 }, never);
    await ptz.move({ kind: "stop" }, never);
    await ptz.move({ kind: "home" }, never);
    const { presets } = (await ptz.move({ kind: "list_presets" }, never)) as { presets: { token: string }[] };
    const preset = presets[0]?.token ?? "";
    await ptz.move({ kind: "goto_preset", preset }, never);
    expect(await ptz.move({ kind: "status" }, never)).toMatchObject({
      status: { pan: expect.any(Number) as number },
    });
    expect(camera.ptzCommands.map(({ command }) => command)).toEqual([
      "AbsoluteMove",
      "AbsoluteMove",
      "RelativeMove",
      "ContinuousMove",
      "Stop",
      "GotoHomePosition",
      "GotoPreset",
    ]);
    await expect(ptz.move({ kind: "goto_preset", preset: "none" }, never)).rejects.toMatchObject({
      code: "CAMERA_PROTOCOL",
    });
  });

  test("gives a snapshot, and takes a wrong password once", async () => {
    const camera = await start();
    const jpeg = await control(camera.onvifUrl).snapshot(never);
    expect(jpeg.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
    const wrong = control(camera.onvifUrl, { ...account, password: "wrong" });
    await expect(wrong.snapshot(never)).rejects.toMatchObject({ code: "CAMERA_AUTH_FAILED" });
    expect(camera.statistics().failedSignIns).toBe(1);
  });
});

/** A camera that answers by operation; what is not named gets a fault. */
async function scripted(
  answers: Readonly<Record<string, string | ((body: string) => string)>>,
  other: RequestListener = (_request, response) => void response.writeHead(404).end(),
) {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    if (request.method === "GET") return other(request, response);
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      bodies.push(body);
      const name = Object.keys(answers).find((key) => body.includes(`<${key}`));
      const answer = name === undefined ? undefined : answers[name];
      const inner = typeof answer === "function" ? answer(body) : answer;
      response
        .writeHead(inner === undefined ? 400 : 200)
        .end(`<Envelope><Body>${inner ?? "<Fault><Reason>no</Reason></Fault>"}</Body></Envelope>`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/onvif/device_service`, port, bodies, close: () => server.close() };
}
const service = (path: string): string =>
  `<Service><Namespace>http://www.onvif.org/${path}</Namespace><XAddr>http://10.9.9.9/${path}</XAddr></Service>`;
const BASE = {
  GetDeviceInformation:
    "<GetDeviceInformationResponse><Manufacturer>X</Manufacturer></GetDeviceInformationResponse>",
  GetServices: `<GetServicesResponse>${service("ver10/media/wsdl")}${service("ver20/imaging/wsdl")}</GetServicesResponse>`,
  GetProfiles:
    '<GetProfilesResponse><Profiles token="p1"><VideoSourceConfiguration><SourceToken>v1</SourceToken></VideoSourceConfiguration></Profiles></GetProfilesResponse>',
};

test("imaging is set and read as 0..100 of the camera's own range, a value of 0 too", async () => {
  let brightness = 50;
  const range = (name: string, min: number, max: number): string =>
    `<${name}><Min>${min}</Min><Max>${max}</Max></${name}>`;
  const camera = await scripted({
    ...BASE,
    GetOptions: `<GetOptionsResponse><ImagingOptions>${range("Brightness", -100, 100)}${range("Contrast", 0, 255)}</ImagingOptions></GetOptionsResponse>`,
    SetImagingSettings: (body) => {
      brightness = Number(/<Brightness[^>]*>([^<]*)</.exec(body)?.[1]);
      return "<SetImagingSettingsResponse/>";
    },
    GetImagingSettings: () =>
      `<GetImagingSettingsResponse><ImagingSettings><Brightness>${brightness}</Brightness><Contrast>51</Contrast><IrCutFilter>AUTO</IrCutFilter></ImagingSettings></GetImagingSettingsResponse>`,
  });
  const imaging = control(camera.url);
  expect(await imaging.image(undefined, never)).toEqual({
    brightness: 75,
    contrast: 20,
    irCutFilter: "auto",
  });
  expect(await imaging.image({ brightness: 0, irCutFilter: "off" }, never)).toMatchObject({ brightness: 0 });
  expect(brightness).toBe(-100);
  await expect(imaging.image({ sharpness: 5 }, never)).rejects.toMatchObject({ code: "CAMERA_UNSUPPORTED" });
  await expect(imaging.move({ kind: "stop" }, never)).rejects.toMatchObject({ code: "CAMERA_UNSUPPORTED" });
  camera.close();
});

test("a Media2 that is offered and does not work is left aside", async () => {
  const camera = await scripted({
    ...BASE,
    GetServices: `<GetServicesResponse>${service("ver10/media/wsdl")}${service("ver20/media/wsdl")}${service("ver20/ptz/wsdl")}</GetServicesResponse>`,
    GetProfiles: (body) => (body.includes("ver20/media") ? "" : BASE.GetProfiles),
    Stop: (body) => (body.includes("<ProfileToken>p1<") ? "<StopResponse/>" : ""),
  });
  expect(await control(camera.url).move({ kind: "stop" }, never)).toEqual({});
  camera.close();
});

test.each([
  ["too large", "image/jpeg", Buffer.alloc(9 * 1024 * 1024, 0xff), "CAMERA_ANSWER_REFUSED"],
  ["of another type", "text/html", Buffer.from([0xff, 0xd8, 0xff, 0]), "CAMERA_ANSWER_REFUSED"],
  ["no JPEG at all", "image/jpeg", Buffer.from("<html>"), "CAMERA_ANSWER_REFUSED"],
])("a snapshot that is %s is refused", async (_what, type, body, code) => {
  let port = 0;
  const uri = () =>
    `<GetSnapshotUriResponse><MediaUri><Uri>http://10.9.9.9:${port}/s.jpg</Uri></MediaUri></GetSnapshotUriResponse>`;
  const camera = await scripted({ ...BASE, GetSnapshotUri: uri }, (_request, response) => {
    response.writeHead(200, { "content-type": type }).end(body);
  });
  port = camera.port;
  await expect(control(camera.url).snapshot(never)).rejects.toMatchObject({ code });
  camera.close();
});
