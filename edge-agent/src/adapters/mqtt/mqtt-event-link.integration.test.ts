import { type EdgeEvent, ackTopic } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { Aedes } from "aedes";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type Server, type Socket, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { type Acknowledgement, MqttEventLink } from "./mqtt-event-link.ts";

const AGENT = "agent-1";
const BOOT = "00112233445566ff";
const event: EdgeEvent = {
  type: "camera_motion",
  cameraId: "gate",
  active: true,
  seq: 1,
  capturedAtMs: 1,
  agentAtMs: 2,
};

describe("MqttEventLink", () => {
  let folder: string;
  let broker: Aedes;
  let server: Server | null = null;
  let batches: { batch?: number; boot: string }[];
  const sockets = new Set<Socket>();
  const stops: AbortController[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "link-"));
    makeCertificates(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    batches = [];
    broker = await Aedes.createBroker({
      authorizePublish: (_client, packet, done) => {
        if (packet.topic.endsWith("/events")) batches.push(JSON.parse(packet.payload.toString()));
        done(null);
      },
    });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop.abort(new Error("test ends"));
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
    await new Promise<void>((done) => broker.close(() => done()));
    server = null;
  });

  /** @param certificate none for plain TCP */
  const listen = async (certificate?: string): Promise<number> => {
    const handle = (socket: Socket): void => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
      broker.handle(socket);
    };
    const file = (ending: string): Buffer => readFileSync(join(folder, `${certificate}.${ending}`));
    server =
      certificate === undefined
        ? createServer(handle)
        : createTlsServer({ key: file("key"), cert: file("crt") }, handle);
    server.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const linkTo = (
    mqttUrl: string,
    options: { ca?: string; acknowledgement?: Acknowledgement; ackTimeoutMs?: number } = {},
  ): { link: MqttEventLink; ended: Promise<unknown>; signal: AbortSignal } => {
    const stop = new AbortController();
    stops.push(stop);
    const link = new MqttEventLink({
      identity: { agentId: AGENT, secret: "s", mqttUrl },
      clock: systemClock,
      log: recordedLog(),
      onDemand: () => undefined,
      ...options,
    });
    const ended = link.run(stop.signal).then(
      () => null,
      (error: unknown) => error,
    );
    return { link, ended, signal: stop.signal };
  };
  const acknowledge = (message: object | string): void => {
    const payload = typeof message === "string" ? message : JSON.stringify(message);
    broker.publish(
      { cmd: "publish", topic: ackTopic(AGENT), payload, qos: 1, retain: false, dup: false },
      () => undefined,
    );
  };
  const received = (count: number) => expect.poll(() => batches.length).toBe(count);
  const ca = (): string => readFileSync(join(folder, "ca.crt"), "utf8");

  test("without a broker between, the PUBACK is the acknowledgement", async () => {
    const { link, signal } = linkTo(`mqtt://127.0.0.1:${await listen()}`);
    await link.waitUntilConnected(signal);
    await link.publishBatch({ boot: BOOT, events: [event] });
    expect(batches).toEqual([{ v: 1, boot: BOOT, events: [event] }]);
  });

  describe("where a broker stands between", () => {
    const connect = async (ackTimeoutMs = 30_000) => {
      const options = { acknowledgement: "application", ackTimeoutMs } as const;
      const connected = linkTo(`mqtt://127.0.0.1:${await listen()}`, options);
      await connected.link.waitUntilConnected(connected.signal);
      return connected.link;
    };
    const publish = (link: MqttEventLink) => {
      let state = "waits";
      link.publishBatch({ boot: BOOT, events: [event] }).then(
        () => (state = "acknowledged"),
        (error: unknown) => (state = String((error as { code?: string }).code)),
      );
      return () => state;
    };

    test("a PUBACK alone means nothing: the centre's own acknowledgement counts, in any order", async () => {
      const link = await connect();
      const [first, second] = [publish(link), publish(link)];
      await received(2);
      expect(batches.map(({ batch }) => batch)).toEqual([0, 1]);
      acknowledge("{ nonsense");
      acknowledge({ v: 1, boot: "ffffffffffffffff", batch: 0 });
      acknowledge({ v: 1, boot: BOOT, batch: 1 });
      await expect.poll(second).toBe("acknowledged");
      expect(first()).toBe("waits");
      acknowledge({ v: 1, boot: BOOT, batch: 0 });
      await expect.poll(first).toBe("acknowledged");
    });

    test("a batch that is not acknowledged in time is rejected", async () => {
      const state = publish(await connect(100));
      await expect.poll(state).toBe("SERVER_UNREACHABLE");
    });

    test("a batch is rejected when the connection ends", async () => {
      const state = publish(await connect());
      await received(1);
      for (const socket of sockets) socket.destroy();
      await expect.poll(state).toBe("SERVER_UNREACHABLE");
    });
  });

  describe("over TLS", () => {
    test("connects to a server whose certificate is the authority's and names it", async () => {
      const { link, signal } = linkTo(`mqtts://localhost:${await listen("good")}`, { ca: ca() });
      await link.waitUntilConnected(signal);
      await link.publishBatch({ boot: BOOT, events: [event] });
      expect(batches).toHaveLength(1);
    });

    test("knows a server by its address, too", async () => {
      const { link, signal } = linkTo(`mqtts://127.0.0.1:${await listen("good")}`, { ca: ca() });
      await link.waitUntilConnected(signal);
    });

    test.each([
      ["of an authority that it does not know", "good", undefined, "SERVER_CERT_UNTRUSTED"],
      ["that signs itself", "self", "ca", "SERVER_CERT_UNTRUSTED"],
      ["that has expired", "expired", "ca", "SERVER_CERT_EXPIRED"],
      ["for another name", "other", "ca", "SERVER_CERT_NAME"],
    ])("refuses a certificate %s, with a code of its own", async (_what, name, authority, code) => {
      const url = `mqtts://localhost:${await listen(name)}`;
      const { ended } = linkTo(url, authority === undefined ? {} : { ca: ca() });
      expect(await ended).toMatchObject({ code });
      expect(batches).toEqual([]);
    });

    test("speaks nothing older than TLS 1.2", async () => {
      const file = (ending: string): Buffer => readFileSync(join(folder, `good.${ending}`));
      const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
      server = createTlsServer({ key: file("key"), cert: file("crt"), ...old }, () => undefined);
      server.on("tlsClientError", () => undefined);
      await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const { ended } = linkTo(`mqtts://localhost:${port}`, { ca: ca() });
      expect(await ended).toMatchObject({ code: "SERVER_UNREACHABLE" });
    });
  });
});

/** An authority and four server certificates, made by openssl. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const selfSigned = (name: string): void =>
    openssl(
      "req",
      "-x509",
      ...key,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.crt`,
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-addext",
      "subjectAltName=DNS:localhost",
    );
  selfSigned("ca");
  selfSigned("self");
  const signed = (name: string, altName: string, days: string): void => {
    openssl(
      "req",
      "-new",
      ...key,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
      "-addext",
      `subjectAltName=${altName}`,
    );
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-out",
      `${name}.crt`,
      "-days",
      days,
      "-copy_extensions",
      "copy",
    );
  };
  signed("good", "DNS:localhost,IP:127.0.0.1", "2");
  signed("other", "DNS:elsewhere.example", "2");
  signed("expired", "DNS:localhost", "-1");
}
