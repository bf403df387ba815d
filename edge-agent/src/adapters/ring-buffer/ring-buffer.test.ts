import { ManualClock } from "@huishi/kernel";
import { picturesOf, type PictureRecord, textHash, verifyClip } from "@huishi/platform";
import fc from "fast-check";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PreparedClip, RecordingGapDraft } from "../../application/recording.ts";
import { openName } from "../../domain/recording-segments.ts";
import { recordedLog } from "../../test-support/recorded-log.ts";
import { PICTURE_MS, pictureAt, testSigner } from "../../test-support/recording-scene.ts";
import { RingBuffer, type RingBufferOptions } from "./ring-buffer.ts";
import { readManifest } from "./segment-file.ts";

const START = 1_700_000_000_000;
const CAMERA = { cameraId: "cam-1", profile: "main" } as const;
const ALWAYS = new AbortController().signal;
const signer = testSigner();
let folder = "";
let rings: RingBuffer[] = [];
let gaps: RecordingGapDraft[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-ring-"));
  rings = [];
  gaps = [];
});
afterEach(async () => {
  await Promise.all(rings.map((ring) => ring.close()));
  await rm(folder, { recursive: true, force: true });
});

async function openRing(more: Partial<RingBufferOptions> = {}): Promise<RingBuffer> {
  const ring = await RingBuffer.open({
    folder,
    agentId: "agent-1",
    signer,
    clock: new ManualClock(START + 60_000),
    log: recordedLog(),
    policy: { maxBytes: 1e9 },
    onGap: (_camera, _profile, gap) => gaps.push(gap),
    segmentMs: 3_000,
    reserveBytes: 0,
    sealWaitMs: 0,
    steadyMs: () => 0,
    ...more,
  });
  rings.push(ring);
  return ring;
}

async function record(
  ring: RingBuffer,
  from: number,
  to: number,
  cameraId: string = CAMERA.cameraId,
): Promise<void> {
  const track = await ring.track(cameraId, "main");
  for (let n = from; n < to; n += 1) track.push(pictureAt(n, START));
}

async function closed(ring: RingBuffer): Promise<void> {
  await ring.close();
  rings = rings.filter((each) => each !== ring);
}

async function contentOf(clip: PreparedClip): Promise<{ head: number; content: Buffer }> {
  const parts: Uint8Array[] = [];
  for await (const part of clip.chunks(0)) parts.push(part);
  const content = Buffer.concat(parts);
  expect(content.byteLength).toBe(clip.bytes);
  return { head: 4 + content.readUInt32BE(0), content };
}

async function picturesIn(bytes: Buffer): Promise<PictureRecord[]> {
  const pictures: PictureRecord[] = [];
  for await (const picture of picturesOf([bytes])) pictures.push(picture);
  return pictures;
}

const range = (from: number, to: number) => ({
  ...CAMERA,
  fromMs: START + from * PICTURE_MS,
  toMs: START + to * PICTURE_MS,
});

describe("recording", () => {
  it("keeps the camera's own access units, cut outward at keyframes, and signs them", async () => {
    const ring = await openRing();
    await record(ring, 0, 100);
    const clip = await ring.prepareClip(range(25, 47), ALWAYS);
    const { head, content } = await contentOf(clip);
    const verdict = await verifyClip(clip.signed, [content.subarray(head)], signer.keys.publicKey);
    expect(verdict).toMatchObject({ signature: "valid", problems: [] });
    const pictures = await picturesIn(content.subarray(head));
    const expected = Array.from({ length: 30 }, (_, i) => pictureAt(20 + i, START));
    expect(pictures.map(({ annexB }) => annexB.toString())).toEqual(
      expected.map(({ annexB }) => annexB.toString()),
    );
    expect(pictures.map(({ capturedAtMs }) => capturedAtMs)).toEqual(
      expected.map((unit) => unit.capturedAtMs),
    );
    expect(pictures[0]?.keyframe).toBe(true);
    clip.release();
  });

  it("goes on with a clip from any byte", async () => {
    const ring = await openRing();
    await record(ring, 0, 60);
    const clip = await ring.prepareClip(range(0, 60), ALWAYS);
    const { content } = await contentOf(clip);
    for (const from of [1, 700, Math.floor(content.byteLength / 2), content.byteLength - 1]) {
      const parts: Uint8Array[] = [];
      for await (const part of clip.chunks(from)) parts.push(part);
      expect(Buffer.concat(parts).equals(content.subarray(from))).toBe(true);
    }
  });

  it("names the group in which a byte was changed", async () => {
    const ring = await openRing();
    await record(ring, 0, 60);
    const clip = await ring.prepareClip(range(0, 60), ALWAYS);
    const { head, content } = await contentOf(clip);
    const bitstream = content.subarray(head);
    const at = Math.floor(bitstream.byteLength * 0.55);
    bitstream[at] = (bitstream[at] as number) ^ 1;
    const { signature, problems } = await verifyClip(clip.signed, [bitstream], signer.keys.publicKey);
    expect(signature).toBe("invalid");
    expect(problems).toMatchObject([
      { code: "CLIP_BYTES_CHANGED", message: expect.stringContaining("segment 2, group 1") },
    ]);
    const other = testSigner().keys.publicKey;
    expect((await verifyClip(clip.signed, [bitstream], other)).problems.map(({ code }) => code)).toContain(
      "CLIP_SIGNATURE_INVALID",
    );
  });

  it("shows a segment that was removed", async () => {
    const ring = await openRing();
    await record(ring, 0, 100);
    await closed(ring);
    const dir = join(folder, "cam-1", "main");
    const [, second = ""] = (await readdir(dir)).toSorted();
    await rm(join(dir, second));
    const again = await openRing();
    const clip = await again.prepareClip(range(0, 100), ALWAYS);
    const { head, content } = await contentOf(clip);
    const { problems } = await verifyClip(clip.signed, [content.subarray(head)], signer.keys.publicKey);
    expect(problems).toMatchObject([
      { code: "CLIP_SEGMENT_MISSING", message: "segments 2 to 2 are missing" },
    ]);
    expect(clip.gaps).toHaveLength(1);
  });

  it("chains its segments over restarts and tells what is missing in between", async () => {
    const first = await openRing();
    await record(first, 0, 35);
    await closed(first);
    const second = await openRing();
    await record(second, 100, 160);
    const { stretches, gaps: listed } = second.list(range(0, 1_000));
    await closed(second);
    const dir = join(folder, "cam-1", "main");
    const manifests = await Promise.all(
      (await readdir(dir)).toSorted().map((name) => readManifest(join(dir, name))),
    );
    expect(manifests.map((each) => each?.manifest.sequence)).toEqual([1, 2, 3, 4]);
    expect(manifests.map((each) => each?.manifest.previous ?? null)).toEqual([
      null,
      ...manifests.slice(0, -1).map((each) => textHash(each?.signed.text ?? "")),
    ]);
    const missing = { fromMs: START + 34 * PICTURE_MS, toMs: START + 100 * PICTURE_MS, reason: "agent_down" };
    expect(gaps).toEqual([missing]);
    expect(stretches.length === 0 || listed.every((gap) => gap.reason === "agent_down")).toBe(true);
  });

  it("deletes the oldest of all cameras first, and never what is being sent", async () => {
    const ring = await openRing();
    await record(ring, 0, 90, "cam-1");
    await record(ring, 30, 120, "cam-2");
    await (await ring.track("cam-1", "main")).close();
    await (await ring.track("cam-2", "main")).close();
    const clip = await ring.prepareClip(range(0, 5), ALWAYS);
    const whole = ring.state().bytes;
    ring.setPolicy({ maxBytes: Math.floor(whole * 0.6), minAgeMs: 86_400_000 });
    await expect.poll(() => ring.state().bytes).toBeLessThanOrEqual(whole * 0.6);
    expect((await contentOf(clip)).content.byteLength).toBe(clip.bytes);
    clip.release();
    const state = ring.state();
    expect(state.shortfallMs).toBeGreaterThan(86_000_000);
  });

  it("deletes what is older than the policy allows", async () => {
    const clock = new ManualClock(START + 60_000);
    const ring = await openRing({ clock });
    await record(ring, 0, 90);
    await (await ring.track("cam-1", "main")).close();
    clock.advance(86_400_000);
    ring.setPolicy({ maxBytes: 1e9, maxAgeMs: 60_000 });
    await expect.poll(() => ring.state().bytes).toBe(0);
    await expect(ring.prepareClip(range(0, 10), ALWAYS)).rejects.toMatchObject({ code: "RECORDING_NONE" });
  });
});

it("leaves out a group that the disk damaged, and says so", async () => {
  const ring = await openRing();
  await record(ring, 0, 60);
  await closed(ring);
  const dir = join(folder, "cam-1", "main");
  const [first = ""] = (await readdir(dir)).toSorted();
  const bytes = await readFile(join(dir, first));
  bytes[6_000] = (bytes[6_000] as number) ^ 255;
  await writeFile(join(dir, first), bytes);
  const again = await openRing();
  const clip = await again.prepareClip(range(0, 60), ALWAYS);
  const { head, content } = await contentOf(clip);
  expect(await picturesIn(content.subarray(head))).toHaveLength(50);
  expect(clip.gaps).toMatchObject([{ reason: "damaged" }]);
});

it("finds every whole picture in a torn file, and none that is not", async () => {
  const ring = await openRing({ segmentMs: 600_000 });
  await record(ring, 0, 40);
  await closed(ring);
  const dir = join(folder, "cam-1", "main");
  const [name = ""] = await readdir(dir);
  const whole = await readFile(join(dir, name));
  await rename(join(dir, name), join(folder, "kept"));
  const record1 = 28 + 405;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40 * record1),
      fc.option(fc.nat(40 * record1 - 1), { nil: undefined }),
      async (length, flipped) => {
        await rm(join(folder, "cam-1"), { recursive: true, force: true });
        await mkdir(dir, { recursive: true });
        const bytes = Buffer.from(whole);
        if (flipped !== undefined) bytes[flipped] = (bytes[flipped] as number) ^ 0x55;
        const file = join(dir, openName({ sequence: 1, gap: null, codec: "h264" }));
        await writeFile(file, bytes);
        await truncate(file, length);
        const good = Math.min(
          Math.floor(length / record1),
          flipped === undefined ? 40 : Math.floor(flipped / record1),
        );
        const torn = await openRing();
        const [segment] = await readdir(dir);
        const read = segment ? await readManifest(join(dir, segment)) : null;
        await closed(torn);
        expect(read?.manifest.groups.reduce((sum, group) => sum + group.pictures, 0) ?? 0).toBe(good);
        expect(read?.manifest.torn ?? true).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});
