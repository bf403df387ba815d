import { createServer } from "node:net";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { hasNatsServer, NatsServer, type NatsServerOptions, until } from "@huishi/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { createLogger } from "../../logger.ts";
import { openMediaBus, readMediaBusConfig } from "../open-media-bus.ts";
import { NatsConnection } from "./nats-connection.ts";
import { credsFile, makeJwt, makeNkey } from "./test-support/nkeys.ts";

const lines: string[] = [];
const logger = createLogger({ name: "test", destination: { write: (line) => void lines.push(line) } });
const isHere = hasNatsServer();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  lines.length = 0;
});

async function server(options: NatsServerOptions): Promise<NatsServer> {
  const started = await NatsServer.start(options);
  closers.push(() => started.remove());
  return started;
}

async function open(env: Record<string, string>): Promise<Awaited<ReturnType<typeof openMediaBus>>> {
  const bus = await openMediaBus(readMediaBusConfig(env), { service: "test", logger });
  closers.push(() => bus.close());
  return bus;
}

const isConnected = (bus: { health(): readonly { ok: boolean }[] }): boolean => bus.health()[0]?.ok ?? false;

describe.skipIf(!isHere)("a connection to a NATS server", () => {
  it("speaks TLS and signs in with a password from a file, and neither shows in a log", async () => {
    const nats = await server({
      tls: true,
      config: 'authorization { users: [ { user: "analytics", password: "hunter2" } ] }',
    });
    const passwordFile = path.join(nats.folder, "password");
    await writeFile(passwordFile, "hunter2\n");
    const bus = await open({
      HUISHI_NATS_URL: nats.url,
      HUISHI_NATS_CA: nats.tls?.caFile ?? "",
      HUISHI_NATS_USER: "analytics",
      HUISHI_NATS_PASSWORD_FILE: passwordFile,
    });
    await until("it is connected", () => isConnected(bus));
    expect(lines.join("")).not.toContain("hunter2");
  });

  it("signs in with a creds file where the server trusts an operator", async () => {
    const [operator, account, user] = [makeNkey("operator"), makeNkey("account"), makeNkey("user")];
    const any = { subs: -1, data: -1, payload: -1 };
    const limits = { ...any, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const accountJwt = makeJwt(operator, account, { type: "account", limits });
    const nats = await server({
      config: `operator: ${makeJwt(operator, operator, { type: "operator" })}
        resolver: MEMORY
        resolver_preload: { ${account.name}: ${accountJwt} }`,
    });
    const file = path.join(nats.folder, "user.creds");
    await writeFile(
      file,
      credsFile(makeJwt(account, user, { type: "user", ...any, pub: {}, sub: {} }), user.seed),
    );
    const bus = await open({ HUISHI_NATS_URL: nats.url, HUISHI_NATS_CREDENTIALS_FILE: file });
    await until("it is connected", () => isConnected(bus));
    expect(lines.join("")).not.toContain(user.seed);
  });

  it("refuses a certificate that the authority did not sign, and a server without TLS", async () => {
    const nats = await server({ tls: true });
    const bus = await open({ HUISHI_NATS_URL: nats.url });
    await until("it says so", () => lines.some((line) => line.includes("NATS_UNREACHABLE")));
    expect(isConnected(bus)).toBe(false);
    const plain = await server({});
    await open({ HUISHI_NATS_URL: plain.url.replace("nats:", "tls:") });
    await until("it says so", () => lines.some((line) => line.includes("NATS_TLS_MISSING")));
  });

  it("says that the server refuses it, once, and gets in when the account is there", async () => {
    const nats = await server({
      config: 'authorization { users: [ { user: "analytics", password: "right" } ] }',
    });
    const passwordFile = path.join(nats.folder, "password");
    await writeFile(passwordFile, "wrong");
    await open({
      HUISHI_NATS_URL: nats.url,
      HUISHI_NATS_USER: "analytics",
      HUISHI_NATS_PASSWORD_FILE: passwordFile,
    });
    await until("it says so", () => lines.some((line) => line.includes("NATS_REFUSED")));
    expect(lines.filter((line) => line.includes("NATS_REFUSED"))).toHaveLength(1);
    expect(lines.join("")).not.toContain("wrong");
  });

  it("notices a server that hangs, by pings that nobody answers", async () => {
    const nats = await server({});
    const bus = await open({ HUISHI_NATS_URL: nats.url });
    await until("connected", () => isConnected(bus));
    process.kill(nats.pid, "SIGSTOP");
    await until("it is noticed", () => !isConnected(bus), 20_000);
    process.kill(nats.pid, "SIGCONT");
    await until("connected again", () => isConnected(bus));
  });

  it("is told of a subject that it may not use, and goes on", async () => {
    const nats = await server({
      config:
        'authorization { users: [ { user: "a", password: "b", permissions: { publish: "huishi.>", subscribe: "huishi.>" } } ] }',
    });
    const refused: string[] = [];
    const connection = new NatsConnection({
      host: "127.0.0.1",
      port: nats.port,
      tls: null,
      credentials: { kind: "password", user: "a", password: "b" },
      name: "test",
      onRefused: (reason) => refused.push(reason),
    });
    const stop = new AbortController();
    const running = connection.run(stop.signal);
    closers.push(async () => {
      stop.abort();
      await running;
    });
    await until("connected", () => connection.isConnected);
    connection.publish("other.subject", Buffer.from("x"));
    await until("refused", () => refused.length === 1);
    expect(connection.isConnected).toBe(true);
  });
});

describe("a connection to what is no NATS server", () => {
  it("says so with a code", async () => {
    const http = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(
      0,
      "127.0.0.1",
    );
    await once(http, "listening");
    closers.push(() => new Promise((resolve) => http.close(() => resolve())));
    const { port } = http.address() as { port: number };
    const connection = new NatsConnection({
      host: "127.0.0.1",
      port,
      tls: null,
      credentials: { kind: "none" },
      name: "test",
      onRefused: () => undefined,
    });
    await expect(connection.run(AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: "NATS_PROTOCOL",
    });
  });

  it("names the file that cannot be used", async () => {
    const config = readMediaBusConfig({
      HUISHI_NATS_URL: "nats://127.0.0.1:1",
      HUISHI_NATS_CREDENTIALS_FILE: "/no/such/file",
    });
    await expect(openMediaBus(config, { service: "test", logger })).rejects.toMatchObject({
      code: "NATS_FILE_UNREADABLE",
      message: expect.stringContaining("HUISHI_NATS_CREDENTIALS_FILE") as string,
    });
  });
});
