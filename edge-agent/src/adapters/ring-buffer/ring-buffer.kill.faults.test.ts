import { systemClock } from "@huishi/kernel";
import { textHash } from "@huishi/platform";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { testSigner } from "../../test-support/recording-scene.ts";
import { RingBuffer } from "./ring-buffer.ts";
import { readManifest } from "./segment-file.ts";

const ENTRY = fileURLToPath(new URL("../../test-support/recorder-process.ts", import.meta.url));
const KILLS = 12;

test(`after ${KILLS} kills in the middle of writes every segment is whole and the chain holds`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "huishi-ring-kill-"));
  const dir = join(folder, "cam-1", "main");
  for (let round = 0; round < KILLS; round += 1) {
    const child = fork(ENTRY, [folder, String(round * 100_000)], {
      execArgv: ["--import", "tsx", "--conditions=huishi-source"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    await once(child, "message");
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
    child.kill("SIGKILL");
    await once(child, "close");
  }
  const ring = await RingBuffer.open({
    folder,
    agentId: "agent-1",
    signer: testSigner(),
    clock: systemClock,
    log: recordedLog(),
    policy: { maxBytes: 1e9 },
    onGap: () => undefined,
  });
  const names = (await readdir(dir)).toSorted();
  await ring.close();
  expect(names.filter((name) => !name.endsWith(".seg"))).toEqual([]);
  expect(names.length).toBeGreaterThan(KILLS);
  let previous: string | null = null;
  for (const [i, name] of names.entries()) {
    const read = await readManifest(join(dir, name));
    expect(read?.manifest).toMatchObject({ sequence: i + 1, previous });
    previous = textHash(read?.signed.text ?? "");
  }
  await rm(folder, { recursive: true, force: true });
}, 120_000);
