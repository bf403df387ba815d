import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLAIM_CODE, TestCentre, until } from "./test-support/centre.ts";

const ENTRY = fileURLToPath(new URL("main.ts", import.meta.url));
const NODE_OPTIONS = ["--import", "tsx", "--conditions=huishi-source"];

describe("the agent's process", { timeout: 60_000 }, () => {
  let folder: string;
  let centre: TestCentre;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-main-"));
    centre = await TestCentre.start();
  });
  afterEach(async () => {
    child?.kill("SIGKILL");
    await centre.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (config: object = {}): Promise<unknown> => {
    const file = join(folder, "config.json");
    await writeFile(
      file,
      JSON.stringify({
        stateDir: "state",
        serverUrl: centre.serverUrl,
        claimCode: CLAIM_CODE,
        cameras: [],
        discovery: { enabled: false },
        ...config,
      }),
    );
    child = fork(ENTRY, [file], { execArgv: NODE_OPTIONS, stdio: "ignore" });
    const [message] = (await once(child, "message")) as [unknown];
    return message;
  };

  test("tells its parent that it is ready, and ends cleanly on SIGTERM", async () => {
    expect(await start()).toMatchObject({ ready: true });
    await until("status", () => centre.statuses.some((status) => status.online));
    child?.kill("SIGTERM");
    const [code] = (await once(child as ChildProcess, "exit")) as [number];
    expect(code).toBe(0);
    expect(centre.statuses.at(-1)?.online).toBe(false);
  });

  test("ends when its parent goes away", async () => {
    await start();
    child?.disconnect();
    const [code] = (await once(child as ChildProcess, "exit")) as [number];
    expect(code).toBe(0);
  });

  test("tells its parent a coded error and ends with 1", async () => {
    expect(await start({ cameras: [{}] })).toMatchObject({ error: { code: "CONFIG_INVALID" } });
    const [code] = (await once(child as ChildProcess, "exit")) as [number];
    expect(code).toBe(1);
  });

  test("killed while the centre is away, it delivers what was recorded, each event once", async () => {
    // The camera does not exist: its health events are what there is to deliver.
    const cameras = [1, 2, 3].map((n) => ({ id: `gone-${n}`, rtsp: { main: `rtsp://127.0.0.1:9/${n}` } }));
    centre.acknowledges = false;
    await start({ cameras });
    const outbox = join(folder, "state", "outbox");
    await until("health of all cameras stored", () =>
      [1, 2, 3].every((n) => storedText(outbox).includes(`"camera_health","cameraId":"gone-${n}"`)),
    );
    child?.kill("SIGKILL");
    await once(child as ChildProcess, "exit");
    centre.acknowledges = true;
    await start({ cameras: [] });
    await until(
      "all cameras",
      () => new Set(centre.eventsOf("camera_health").map((e) => e.cameraId)).size === 3,
    );
    const identities = centre.events.map(({ boot, event }) => `${boot}/${event.seq}`);
    expect(new Set(identities).size).toBe(identities.length);
  });

  test("without an argument it says how to start it", async () => {
    const lone = spawn(process.execPath, [...NODE_OPTIONS, ENTRY], { stdio: ["ignore", "pipe", "ignore"] });
    let output = "";
    lone.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(lone, "close")) as [number];
    expect(code).toBe(1);
    expect(output).toContain("CONFIG_INVALID");
  });
});

function storedText(folder: string): string {
  try {
    return readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("");
  } catch {
    return "";
  }
}
