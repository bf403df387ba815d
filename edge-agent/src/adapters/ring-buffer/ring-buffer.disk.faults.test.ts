import { ManualClock } from "@huishi/kernel";
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { RecordingGapDraft } from "../../application/recording.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { pictureAt, testSigner } from "../../test-support/recording-scene.ts";
import { RingBuffer } from "./ring-buffer.ts";

const START = 1_700_000_000_000;
const disk = await mkdtemp(join(tmpdir(), "ring-disk-"));
const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]).status === 0;
if (!isMounted) console.warn("skipped: a small disk cannot be mounted here (needs root)");
afterAll(async () => {
  if (isMounted) spawnSync("umount", ["-l", disk]);
  await rm(disk, { recursive: true, force: true });
});

describe.skipIf(!isMounted)("RingBuffer on a disk of 8 MB", () => {
  test("deletes the oldest when it is full, outlives a disk that others fill, and tells the gap", async () => {
    const log = recordedLog();
    const gaps: RecordingGapDraft[] = [];
    const ring = await RingBuffer.open({
      folder: join(disk, "recordings"),
      agentId: "agent-1",
      signer: testSigner(),
      clock: new ManualClock(START + 3_600_000),
      log,
      policy: { maxBytes: 1e9 },
      onGap: (_camera, _profile, gap) => gaps.push(gap),
      reserveBytes: 0,
      segmentMs: 2_000,
      sealWaitMs: 0,
      steadyMs: () => 0,
    });
    const track = await ring.track("cam-1", "main");
    const record = async (from: number, to: number): Promise<void> => {
      for (let n = from; n < to; n += 1) track.push(pictureAt(n, START, 20_000));
      await track.seal(0);
    };
    const newest = (): number => track.segments.at(-1)?.toMs ?? 0;
    // 24 MB in all: three times the disk.
    for (let n = 0; n < 1_200; n += 100) await record(n, n + 100);
    expect(newest()).toBe(START + 1_199 * 100);
    expect(ring.state().oldestMs).toBeGreaterThan(START);
    expect(log.lines).toContain("the disk is full: recordings are deleted before the policy asks for it");

    // Somebody else takes everything, and the ring has nothing left to give.
    const others = join(disk, "somebody-else");
    for (let round = 0; round < 400; round += 1) {
      if ((await track.deleteOldest()) === null) break;
    }
    try {
      for (;;) writeFileSync(others, Buffer.alloc(65_536, 1), { flag: "a" });
    } catch {
      // full
    }
    await record(1_300, 1_400);
    rmSync(others);
    await record(1_500, 1_600);
    expect(newest()).toBe(START + 1_599 * 100);
    expect(gaps.at(-1)).toMatchObject({ reason: "disk", toMs: START + 1_500 * 100 });
    await ring.close();
  });
});
