import { makeTlsFiles } from "@huishi/testkit";
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLAIM_CODE, TestCentre } from "../test-support/centre.ts";

const ENTRY = fileURLToPath(new URL("main.ts", import.meta.url));

describe("huishi-edge", { timeout: 60_000 }, () => {
  let folder: string;
  let file: string;
  let centre: TestCentre;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-cli-"));
    file = join(folder, "config.json");
    centre = await TestCentre.start();
  });
  afterEach(async () => {
    await centre.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const configure = (config: object = {}): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({
        stateDir: "state",
        serverUrl: centre.serverUrl,
        cameras: [],
        discovery: { enabled: false, interfaceAddress: "127.0.0.1" },
        ...config,
      }),
    );
  const run = async (args: readonly string[], input = "", env: Record<string, string> = {}) => {
    const child = spawn(
      process.execPath,
      ["--import", "tsx", "--conditions=huishi-source", ENTRY, ...args, "--config", file],
      { env: { PATH: process.env["PATH"], LANG: "C", ...env } },
    );
    child.stdin.end(input);
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    return { code, out, err };
  };

  test("claims once, stores the identity and never shows the secret", async () => {
    await configure();
    const first = await run(["claim"], `${CLAIM_CODE}\n`);
    expect(first).toMatchObject({ code: 0 });
    const identity = JSON.parse(await readFile(join(folder, "state/identity.json"), "utf8")) as {
      agentId: string;
      secret: string;
    };
    expect(first.out).toContain(identity.agentId);
    expect(first.out + first.err).not.toContain(identity.secret);
    const second = await run(["claim", "--json"]);
    expect(JSON.parse(second.out)).toEqual({ agentId: identity.agentId, isNew: false });
  });

  test("tells a wrong field by its path without its value, in one line", async () => {
    await configure({ cameras: [{ onvif: "ftp://admin:hunter2@camera" }] });
    const { code, err } = await run(["config", "check"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^CONFIG_INVALID: \/cameras\/0\/onvif [^\n]*\n$/);
    expect(err).not.toContain("hunter2");
  });

  test("doctor finds a camera that answers and one that does not, signing in nowhere", async () => {
    let received = 0;
    const camera = createServer((socket) => socket.on("data", (data) => (received += data.length)));
    camera.listen(0, "127.0.0.1");
    await once(camera, "listening");
    const { port } = camera.address() as { port: number };
    const onvif = `http://127.0.0.1:${port}/onvif`;
    await configure({
      cameras: [
        { id: "gate", onvif },
        { id: "yard", onvif: "http://127.0.0.1:1/onvif" },
      ],
    });
    const { code, out } = await run(["doctor", "--json"]);
    camera.close();
    const levels = Object.fromEntries(
      (JSON.parse(out) as { check: string; level: string }[]).map(({ check, level }) => [check, level]),
    );
    expect(levels).toMatchObject({ "state folder": "ok", "camera gate": "ok", "camera yard": "fail" });
    expect(code).toBe(1);
    expect(received).toBe(0);
  });

  test("doctor tells what it saw in Chinese where the machine speaks it", async () => {
    await configure({ cameras: [{ id: "yard", onvif: "http://127.0.0.1:1/onvif" }] });
    const { out } = await run(["doctor"], "", { LANG: "zh_CN.UTF-8" });
    expect(out).toMatch(/正常 {2}状态目录: 可写/);
    expect(out).toMatch(/失败 {2}摄像机 yard: .*ECONNREFUSED/);
    for (const line of out.trim().split("\n")) expect(line).toMatch(/[\u4e00-\u9fff]/);
  });

  test("doctor trusts the authority that was pinned at the claim, or the environment's, and no other", async () => {
    const tls = await makeTlsFiles(folder);
    const [key, cert] = await Promise.all([readFile(tls.keyFile), readFile(tls.certFile)]);
    const server = createHttpsServer({ key, cert }, (_request, response) => response.end("{}"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await configure({ serverUrl: `https://127.0.0.1:${port}` });
    const levels = async (env: Record<string, string> = {}) => {
      const findings = JSON.parse((await run(["doctor", "--json"], "", env)).out) as {
        check: string;
        level: string;
      }[];
      return findings.filter(({ check }) => /over HTTP|clock/.test(check)).map(({ level }) => level);
    };
    expect(await levels()).toEqual(["fail", "fail"]);
    expect(await levels({ HUISHI_MQTT_CA: tls.caFile })).toEqual(["ok", "ok"]);
    await copyFile(tls.caFile, join(folder, "state/ca.pem"));
    expect(await levels()).toEqual(["ok", "ok"]);
    server.close();
  });

  test("speaks Chinese where the machine does, and ends with 2 for what it does not know", async () => {
    expect((await run(["help"], "", { LANG: "zh_CN.UTF-8" })).out).toContain("认领");
    expect(await run(["dance"])).toMatchObject({ code: 2 });
    expect(await run(["constructor"])).toMatchObject({ code: 2 });
  });
});
