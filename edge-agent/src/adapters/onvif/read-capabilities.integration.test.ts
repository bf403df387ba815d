import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { NetworkGuard } from "../network-guard/network-guard.ts";
import { OnvifSession } from "./onvif-session.ts";
import { readCapabilities } from "./read-capabilities.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});
const guard = new NetworkGuard({ typedHosts: ["127.0.0.1"] });
const FAULT =
  "<Fault><Code><Value>ter:ActionNotSupported</Value></Code><Reason><Text>no</Text></Reason></Fault>";
const REFUSED =
  "<Fault><Code><Value>ter:NotAuthorized</Value></Code><Reason><Text>Sender not Authorized</Text></Reason></Fault>";
const topics = (inner: string): string =>
  `<GetEventPropertiesResponse><TopicSet><tns1:RuleEngine>${inner}</tns1:RuleEngine></TopicSet></GetEventPropertiesResponse>`;
const MOTION = '<CellMotionDetector><Motion topic="true"/></CellMotionDetector>';

/** What a camera of all services can, that answers each operation so. */
async function capabilities(answers: Readonly<Record<string, string>>, hasPtz = true): Promise<string[]> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const operation = Object.keys(answers).find((name) => text.includes(`<${name}`)) ?? "";
      response.end(`<Envelope><Body>${answers[operation] ?? FAULT}</Body></Envelope>`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const session = await OnvifSession.open(
    {
      serviceUrl: `http://127.0.0.1:${port}/onvif/device_service`,
      account: null,
      reach: (host, signal) => guard.assertReachable(host, signal),
    },
    new AbortController().signal,
  );
  session.client.uri = {
    media: { path: "/m" },
    ptz: { path: "/p" },
    events: { path: "/e" },
    imaging: { path: "/i" },
  };
  try {
    return (await readCapabilities(session, { token: "p1", hasPtz })).toSorted();
  } finally {
    session.close();
  }
}

test("what the services answer is what the camera can", async () => {
  const all = {
    GetSnapshotUri:
      "<GetSnapshotUriResponse><MediaUri><Uri>http://127.0.0.1/s.jpg</Uri></MediaUri></GetSnapshotUriResponse>",
    GetPresets: "<GetPresetsResponse/>",
    GetEventProperties: topics(`${MOTION}<FieldDetector><ObjectsInside topic="true"/></FieldDetector>`),
  };
  expect(await capabilities(all)).toEqual([
    "analytics_events",
    "imaging",
    "motion_events",
    "presets",
    "snapshot",
  ]);
});

test.each([
  ["does not know", FAULT],
  ["refuses to this account", REFUSED],
  ["answers with garbage", "<><"],
])("what it %s it cannot, and nothing else is lost by that", async (_what, answer) => {
  const answers = { GetSnapshotUri: answer, GetPresets: answer, GetEventProperties: answer };
  expect(await capabilities(answers)).toEqual(["imaging", "motion_events"]);
});

test("motion alone is no analytics, an empty address no snapshot, and who does not turn has no presets", async () => {
  const answers = {
    GetSnapshotUri: "<GetSnapshotUriResponse><MediaUri><Uri/></MediaUri></GetSnapshotUriResponse>",
    GetPresets: "<GetPresetsResponse/>",
    GetEventProperties: topics(MOTION),
  };
  expect(await capabilities(answers, false)).toEqual(["imaging", "motion_events"]);
});
