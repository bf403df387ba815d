import { encodeUploadChunk } from "@huishi/contracts";
import { expect, it } from "vitest";
import { type ClipBook, ClipUploads } from "./clip-intake.ts";
import { type UploadFiles, UploadIntake } from "./upload-intake.ts";

function scene(wanted = true, room?: { take(bytes: number): Promise<boolean> }) {
  const letters: string[] = [];
  const failed: string[] = [];
  let stored = Buffer.alloc(0);
  const book: ClipBook = {
    wanted: async () => (wanted ? { cameraId: "cam-1", profile: "main" } : null),
    progress: async () => undefined,
    ready: async () => undefined,
    failed: async (_id, code) => void failed.push(code),
    publicKey: async () => null,
  };
  const files: UploadFiles = {
    size: async () => stored.byteLength,
    append: async (_id, bytes) => void (stored = Buffer.concat([stored, bytes])),
    async *read(_id, from, to) {
      yield stored.subarray(from, to);
    },
    keep: async () => undefined,
    discard: async () => void (stored = Buffer.alloc(0)),
  };
  const intake = new UploadIntake({
    destinations: [new ClipUploads({ book, files, ...(room ? { room } : {}) })],
    steadyMs: () => 0,
    onFault: () => () => undefined,
    deadLetter: async ({ code }) => void letters.push(code),
  });
  const send = (offset: number, text: string, last = false): Promise<void> =>
    intake.accept("agent-1", "clip-1", "topic", encodeUploadChunk({ offset, last, data: Buffer.from(text) }));
  return { letters, failed, send, intake, content: () => stored.toString() };
}

it("ignores what came before, and takes the new part of a chunk that overlaps", async () => {
  const { send, content, letters } = scene();
  await send(0, "abcd");
  await send(0, "abcd");
  await send(2, "cdef");
  expect(content()).toBe("abcdef");
  expect(letters).toEqual([]);
});

it("makes a dead letter of a chunk beyond the end, once, and acknowledges it", async () => {
  const { send, content, letters } = scene();
  await send(0, "ab");
  await send(9, "zz");
  await send(9, "zz");
  expect(content()).toBe("ab");
  expect(letters).toEqual(["UPLOAD_OFFSET"]);
});

it("takes nothing that nobody asked for", async () => {
  const { send, content, letters } = scene(false);
  await send(0, "ab");
  expect(content()).toBe("");
  expect(letters).toEqual(["UPLOAD_UNASKED"]);
});

it("fails a clip whose manifest is none", async () => {
  const { send, failed } = scene();
  await send(0, "this is no clip at all", true);
  expect(failed).toEqual(["CLIP_MANIFEST_INVALID"]);
});

it("makes a dead letter of what is no chunk", async () => {
  const { intake, letters } = scene();
  await intake.accept("agent-1", "clip-1", "topic", Buffer.from("x"));
  expect(letters).toEqual(["UPLOAD_CHUNK"]);
});

it("fails a clip for which there is no room, and keeps nothing of it", async () => {
  let left = 6;
  const { send, failed, content } = scene(true, {
    take: async (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
  });
  await send(0, "abcd");
  await send(0, "abcd");
  expect(content()).toBe("abcd");
  await send(4, "efgh");
  expect(failed).toEqual(["CLIP_STORE_FULL"]);
  expect(content()).toBe("");
});
