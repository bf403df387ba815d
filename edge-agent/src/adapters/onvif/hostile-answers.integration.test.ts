import { createServer, type RequestListener, type Server } from "node:http";
import { systemClock } from "@huishi/kernel";
import { getEventListeners, once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { NetworkGuard } from "../network-guard/network-guard.ts";
import { OnvifCamera } from "./onvif-camera.ts";
import { OnvifSession, readServices } from "./onvif-session.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});
const guard = new NetworkGuard({ typedHosts: ["127.0.0.1"] });

async function session(answer: RequestListener): Promise<OnvifSession> {
  server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return OnvifSession.open(
    {
      serviceUrl: `http://127.0.0.1:${port}/onvif/device_service`,
      account: null,
      reach: (host, signal) => guard.assertReachable(host, signal),
    },
    new AbortController().signal,
  );
}
const answering = (body: string, status = 200): RequestListener => {
  return (_request, response) => void response.writeHead(status).end(body);
};
const CALLS: readonly [string, (s: OnvifSession) => Promise<unknown>][] = [
  ["getSystemDateAndTime", (s) => s.call((c, done) => c.getSystemDateAndTime(done))],
  ["getDeviceInformation", (s) => s.call((c, done) => c.getDeviceInformation(done))],
  ["getServices", readServices],
  ["getProfiles", (s) => s.call((c, done) => c.getProfiles(done))],
  ["getStreamUri", (s) => s.call((c, done) => c.getStreamUri({ protocol: "RTSP", profileToken: "p" }, done))],
  ["getSnapshotUri", (s) => s.call((c, done) => c.getSnapshotUri({ profileToken: "p" }, done))],
  ["getScopes", (s) => s.call((c, done) => c.getScopes(done))],
  ["getNetworkInterfaces", (s) => s.call((c, done) => c.getNetworkInterfaces(done))],
  ["createPullPointSubscription", (s) => s.call((c, done) => c.createPullPointSubscription(done))],
  ["an own request", (s) => s.ask("ptz", "<x/>")],
];
const HOSTILE: readonly [string, string, string][] = [
  ["an XML bomb", '<!DOCTYPE a [<!ENTITY b "cc">]><a>&b;&b;</a>', "CAMERA_ANSWER_REFUSED"],
  ["100,000 nested elements", "<a>".repeat(100_000), "CAMERA_ANSWER_REFUSED"],
  ["a megabyte", `<a>${"x".repeat(1024 * 1024)}</a>`, "CAMERA_ANSWER_REFUSED"],
  ["a quadratic pattern", `<a>${"xmlns".repeat(80_000)}</a>`, "CAMERA_ANSWER_REFUSED"],
  ["garbage", "\u0000\u0001<<>><&&\ufffd", "CAMERA_ANSWER_REFUSED"],
  ["nothing", "", "CAMERA_PROTOCOL"],
  ["an empty envelope", "<Envelope><Body/></Envelope>", "CAMERA_PROTOCOL"],
  ["a page of a web server", "<html><body>404</body></html>", "CAMERA_PROTOCOL"],
];

for (const [what, body, code] of HOSTILE) {
  test(`${what} is a plain fault of every call, and the next call works`, async () => {
    const open = await session(answering(body));
    for (const [name, call] of CALLS) {
      const outcome = await call(open).then(
        () => "an answer",
        (error: { code?: string }) => error.code ?? "another error",
      );
      // Where nothing was needed of an empty body the library gives an empty answer: that is none to trust either.
      expect([code, "CAMERA_PROTOCOL", "an answer"], name).toContain(outcome);
      if (code === "CAMERA_ANSWER_REFUSED") expect(outcome, name).toBe(code);
    }
  });
}

test("an answer that says it is a megabyte is refused before any of it has come", async () => {
  const open = await session((_request, response) => {
    response.writeHead(200, { "content-length": 1024 * 1024 });
    response.flushHeaders();
  });
  await expect(open.ask("ptz", "<x/>")).rejects.toMatchObject({ code: "CAMERA_ANSWER_REFUSED" });
});

test("a long answer to a short question is refused, where a long one may be true it is read", async () => {
  const long = `<Envelope><Body>${"<a>b</a>".repeat(5_000)}</Body></Envelope>`;
  const open = await session(answering(long));
  const clock = open.call((c, done) => c.getSystemDateAndTime(done));
  await expect(clock).rejects.toMatchObject({ code: "CAMERA_ANSWER_REFUSED" });
  await expect(open.ask("ptz", "<x/>")).resolves.toMatchObject({ xml: long });
});

test("endless headers are refused", async () => {
  const open = await session((request) => {
    request.socket.write("HTTP/1.1 200 OK\r\n");
    request.socket.write(`X-A: ${"b".repeat(32 * 1024)}\r\n`);
  });
  await expect(open.ask("ptz", "<x/>")).rejects.toMatchObject({ code: "CAMERA_ANSWER_REFUSED" });
});

test("an answer that drips in for ever ends with the call's deadline, others go on", async () => {
  const drips = new Set<NodeJS.Timeout>();
  const open = await session((_request, response) => {
    response.writeHead(200);
    drips.add(setInterval(() => response.write("<a>"), 20));
  });
  const call = open.call((c, done) => c.getDeviceInformation(done), 300);
  await expect(call).rejects.toMatchObject({ code: "CAMERA_UNREACHABLE" });
  open.close();
  for (const drip of drips) clearInterval(drip);
});

test("redirects are not followed", async () => {
  const asked: string[] = [];
  const open = await session((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(302, { location: "http://127.0.0.2/elsewhere" }).end();
  });
  await expect(open.ask("ptz", "<x/>")).rejects.toMatchObject({ code: "CAMERA_PROTOCOL" });
  expect(asked).toEqual(["/ptz"]);
});

test.each([
  [423, "", "CAMERA_LOCKED_OUT"],
  [429, "", "CAMERA_LOCKED_OUT"],
  [400, "<Envelope><Body><Fault>ter:AccountLocked</Fault></Body></Envelope>", "CAMERA_LOCKED_OUT"],
  [401, "", "CAMERA_AUTH_FAILED"],
])("status %i with %j is told as %s", async (status, body, code) => {
  const open = await session(answering(body, status));
  await expect(open.call((c, done) => c.getDeviceInformation(done))).rejects.toMatchObject({ code });
});

test("services that a device places on another host stay on its own", async () => {
  const hosts: string[] = [];
  const services =
    "<Envelope><Body><GetServicesResponse><Service><Namespace>http://www.onvif.org/ver20/ptz/wsdl</Namespace>" +
    "<XAddr>http://169.254.169.254:81/onvif/ptz?x=1</XAddr></Service><Service><Namespace>http://www.onvif.org/ver10/media/wsdl</Namespace>" +
    "<XAddr>http://10.0.0.1/m</XAddr></Service></GetServicesResponse></Body></Envelope>";
  const open = await session((request, response) => {
    hosts.push(`${request.headers.host?.split(":")[0]}${request.url}`);
    response.end(services);
  });
  await readServices(open);
  await open.ask("ptz", "<x/>");
  expect(hosts).toEqual([
    "127.0.0.1/onvif/device_service",
    "127.0.0.1/onvif/device_service",
    "127.0.0.1/onvif/ptz?x=1",
  ]);
});

test("a host outside the site is never spoken to", async () => {
  const target = {
    serviceUrl: "http://127.0.0.1:9/",
    account: null,
    reach: (host: string) => new NetworkGuard().assertReachable(host),
  };
  await expect(OnvifSession.open(target, new AbortController().signal)).rejects.toMatchObject({
    code: "ADDRESS_OUTSIDE_SITE",
  });
});

test("events of a camera that is away leave nothing on the signal, however often it is tried", async () => {
  const stop = new AbortController();
  const camera = new OnvifCamera({
    serviceUrl: "http://127.0.0.1:1/onvif/device_service",
    account: null,
    clock: systemClock,
    reach: (host, signal) => guard.assertReachable(host, signal),
  });
  for (let i = 0; i < 5; i++)
    await expect(camera.watchMotion(() => undefined, stop.signal)).rejects.toMatchObject({
      code: "CAMERA_UNREACHABLE",
    });
  expect(getEventListeners(stop.signal, "abort")).toEqual([]);
});
