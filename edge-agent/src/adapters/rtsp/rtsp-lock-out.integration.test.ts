import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { describeStream } from "./rtsp-probe.ts";

let server: Server | undefined;
afterEach(() => void server?.close());

/** A camera that gives each request the next of these answers, the last one for ever. */
async function camera(...answers: readonly string[]): Promise<{ url: string; signIns: () => number }> {
  let asked = 0;
  let signIns = 0;
  server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (request: Buffer) => {
      const text = request.toString();
      if (/^authorization:/im.test(text)) signIns += 1;
      const cseq = /^cseq:\s*(\d+)/im.exec(text)?.[1];
      const answer = answers[Math.min(asked++, answers.length - 1)] as string;
      const [line, ...rest] = answer.split("\n");
      socket.write([line, `CSeq: ${cseq}`, ...rest, "", ""].join("\r\n"));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `rtsp://127.0.0.1:${port}/main`, signIns: () => signIns };
}

const ACCOUNT = { username: "operator", password: "pa55word" };
const CHALLENGE = 'RTSP/1.0 401 Unauthorized\nWWW-Authenticate: Digest realm="cam", nonce="n1"';
const ask = (url: string) => describeStream(url, ACCOUNT, { signal: AbortSignal.timeout(5_000) });

test.each([
  ["in the reason of a refusal", "RTSP/1.0 403 User locked"],
  [
    "in the reason of a challenge",
    'RTSP/1.0 401 Account is locked\nWWW-Authenticate: Digest realm="cam", nonce="n2"',
  ],
  [
    "as a parameter of the challenge",
    'RTSP/1.0 401 Unauthorized\nWWW-Authenticate: Digest realm="c", nonce="n", unlockTime="1800"',
  ],
  ["as a status of HTTP", "RTSP/1.0 423 Locked"],
  ["as a warning", "RTSP/1.0 403 Forbidden\nWarning: 199 - IP address has been blocked"],
  ["in Chinese", "RTSP/1.0 403 用户已被锁定"],
])("a lock-out told %s is one, after one sign-in", async (_where, refusal) => {
  const { url, signIns } = await camera(CHALLENGE, refusal);
  await expect(ask(url)).rejects.toMatchObject({ code: "CAMERA_LOCKED_OUT" });
  expect(signIns()).toBe(1);
});

test("a refusal without a word of locking is a refusal", async () => {
  const { url, signIns } = await camera(CHALLENGE, CHALLENGE);
  await expect(ask(url)).rejects.toMatchObject({ code: "CAMERA_AUTH_FAILED" });
  expect(signIns()).toBe(1);
});

test("a camera that is locked already is told so without a sign-in", async () => {
  const { url, signIns } = await camera("RTSP/1.0 403 Too many failed login attempts");
  await expect(ask(url)).rejects.toMatchObject({ code: "CAMERA_LOCKED_OUT" });
  expect(signIns()).toBe(0);
});
