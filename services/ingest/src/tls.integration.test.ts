import { copyFile, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectAgent, createAgent, makeTlsFiles, type TestTlsFiles, until } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TlsFiles } from "./adapters/mqtt/tls-files.ts";
import { motion, publishEvents, runIngest, type RunningIngest } from "./test-support/running-ingest.ts";

let folder: string;
let files: TestTlsFiles;
let running: RunningIngest | null = null;
const sockets: Socket[] = [];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-tls-"));
  files = await makeTlsFiles(folder);
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await running?.close();
  running = null;
  await rm(folder, { recursive: true, force: true });
});

const start = async (): Promise<RunningIngest> => (running = await runIngest({ tls: files }));
const keep = <S extends Socket>(socket: S): S => {
  socket.on("error", () => {});
  sockets.push(socket);
  return socket;
};
const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once("close", () => resolve()));
const dial = async (port: number, more: ConnectionOptions = {}): Promise<TLSSocket> =>
  keep(connectTls({ host: "127.0.0.1", port, ca: await readFile(files.caFile), ...more }));
const metric = async (pattern: RegExp): Promise<boolean> =>
  pattern.test((await running?.ingest.metrics.text()) ?? "");

test("an agent signs in over TLS and its event is stored", async () => {
  const { ingest, pool } = await start();
  const agent = await createAgent(pool);
  const client = await connectAgent({ port: ingest.port, caFile: files.caFile }, agent);
  await publishEvents(client, agent.id, [motion(1)]);
  await client.endAsync();
  expect((await pool.query("SELECT seq::int FROM edge_event")).rows).toEqual([{ seq: 1 }]);
});

test("TLS 1.1 is refused, and so is a client without TLS", async () => {
  const { ingest } = await start();
  const old = await dial(ingest.port, { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" });
  await closeOf(old);
  expect(old.authorized).toBe(false);
  const plain = keep(connectTcp(ingest.port, "127.0.0.1"));
  plain.write("\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0");
  await closeOf(plain);
  await until("both are counted", () => metric(/refusals_total\{reason="TLS_HANDSHAKE"\} 2/));
});

test("bytes are guarded before sign-in under TLS too", async () => {
  const { ingest } = await start();
  const socket = await dial(ingest.port);
  await once(socket, "secureConnect");
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0xd0, 0x45]));
  await closeOf(socket);
  expect(await metric(/reason="CONNECT_TOO_LARGE"\} 1/)).toBe(true);
});

test("a handshake that is never finished does not keep its place", { timeout: 15_000 }, async () => {
  const { ingest } = await start();
  const socket = keep(connectTcp(ingest.port, "127.0.0.1"));
  await until("it counts as a connection", () => metric(/connections_count 1/));
  await closeOf(socket);
  await until("gone", () => metric(/connections_count 0/));
});

test("unfinished handshakes count against the limit of those who have not signed in", async () => {
  const { ingest } = await start();
  for (let count = 0; count < 512; count++) keep(connectTcp(ingest.port, "127.0.0.1"));
  await until("512 handshakes", () => metric(/connections_count 512/));
  const late = keep(connectTcp(ingest.port, "127.0.0.1"));
  await closeOf(late);
  expect(await metric(/reason="TOO_MANY_UNAUTHENTICATED"\} 1/)).toBe(true);
});

test("a certificate renewed on disk is used without a restart; one that does not fit is not", async () => {
  const faults: unknown[] = [];
  const tls = await TlsFiles.open(files, (fault) => faults.push(fault), 3_600_000);
  const renewed: Buffer[] = [];
  tls.onRenewed(({ cert }) => renewed.push(cert));
  const other = await makeTlsFiles(folder, "renewed");
  await copyFile(other.certFile, files.certFile);
  await tls.check();
  expect(faults).toMatchObject([{ code: "MQTT_TLS_INVALID" }]);
  await copyFile(other.keyFile, files.keyFile);
  await tls.check();
  expect(renewed).toEqual([await readFile(other.certFile)]);
  expect(tls.current.cert).toEqual(renewed[0]);
  tls.close();
});

test("the endpoint serves the renewed certificate", { timeout: 40_000 }, async () => {
  const { ingest } = await start();
  const subject = async (): Promise<string | undefined> => {
    const socket = await dial(ingest.port, { rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return socket.getPeerCertificate().subject.CN as string | undefined;
  };
  expect(await subject()).toBe("server");
  const other = await makeTlsFiles(folder, "renewed");
  await copyFile(other.keyFile, files.keyFile);
  await copyFile(other.certFile, files.certFile);
  await utimes(files.certFile, new Date(), new Date());
  await until("the new one", async () => (await subject()) === "renewed", 25_000);
});

test("files that cannot be read or do not belong together stop the start", async () => {
  const other = await makeTlsFiles(folder, "other");
  const garbage = path.join(folder, "garbage");
  await writeFile(garbage, "no PEM");
  const code = (keyFile: string, certFile: string): Promise<unknown> =>
    runIngest({ tls: { keyFile, certFile } }).then(
      () => null,
      (thrown: { code?: string }) => thrown.code,
    );
  expect([
    await code(path.join(folder, "missing"), files.certFile),
    await code(other.keyFile, files.certFile),
    await code(files.keyFile, garbage),
  ]).toEqual(["MQTT_TLS_UNREADABLE", "MQTT_TLS_INVALID", "MQTT_TLS_INVALID"]);
});

test("without TLS an address that others reach is refused, unless it is allowed", async () => {
  await expect(runIngest({ host: "0.0.0.0" })).rejects.toMatchObject({ code: "MQTT_PLAIN_REFUSED" });
  running = await runIngest({ host: "0.0.0.0", allowPlain: true });
  expect(running.ingest.port).toBeGreaterThan(0);
  await running.close();
  running = await runIngest({ host: "0.0.0.0", tls: files });
  expect(running.ingest.port).toBeGreaterThan(0);
});
