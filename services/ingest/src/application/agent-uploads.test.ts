import { encodeUploadChunk, MAX_UPLOAD_DATA_BYTES, type UploadKind } from "@huishi/contracts";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UploadFolder } from "../adapters/clip-files/clip-files.ts";
import { AgentUploads, type UploadBook } from "./agent-uploads.ts";
import { UploadIntake } from "./upload-intake.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "uploads-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function scene(kind: UploadKind) {
  const said: string[] = [];
  const surplus: string[] = [];
  let isOpen = true;
  const book: UploadBook = {
    wanted: async () => (isOpen ? kind : null),
    progress: async () => undefined,
    ready: async (id, { bytes, sha256 }) => {
      isOpen = false;
      said.push(`${id} ${bytes} ${sha256}`);
    },
    failed: async (_id, code) => {
      isOpen = false;
      said.push(code);
    },
    stalled: async () => [],
    surplus: async () => surplus,
    forget: async (ids) => void said.push(`forgotten ${ids.join()}`),
  };
  const uploads = new AgentUploads({ book, files: new UploadFolder(folder, "upload") });
  const intake = new UploadIntake({
    destinations: [uploads],
    steadyMs: () => 0,
    onFault: () => () => undefined,
    deadLetter: async ({ code }) => void said.push(code),
  });
  const send = async (content: Buffer): Promise<void> => {
    for (let offset = 0; offset < content.byteLength; offset += MAX_UPLOAD_DATA_BYTES) {
      const data = content.subarray(offset, offset + MAX_UPLOAD_DATA_BYTES);
      const last = offset + data.byteLength === content.byteLength;
      await intake.accept("agent-1", "up-1", "topic", encodeUploadChunk({ offset, last, data }));
    }
  };
  return { said, surplus, uploads, send };
}

test("a snapshot is kept with its hash, and goes with its file when it is old", async () => {
  const { said, surplus, uploads, send } = scene("snapshot");
  const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(200_000, 7)]);
  await send(picture);
  const sha256 = createHash("sha256").update(picture).digest("hex");
  expect(said).toEqual([`up-1 ${picture.byteLength} ${sha256}`]);
  expect(await readFile(join(folder, "up-1.upload"))).toEqual(picture);
  surplus.push("up-1");
  await uploads.tidy();
  expect(await readdir(folder)).toEqual([]);
  expect(said.at(-1)).toBe("forgotten up-1");
});

test("what is no picture is not kept as one", async () => {
  const { said, send } = scene("snapshot");
  await send(Buffer.from("<svg onload=alert(1)>"));
  expect(said).toEqual(["UPLOAD_CONTENT"]);
  expect(await readdir(folder)).toEqual([]);
});

test("an agent that sends without end is stopped, and its bytes go", async () => {
  const { said, send } = scene("logs");
  await send(Buffer.alloc(21 * 1024 * 1024, 1));
  expect(said.slice(0, 2)).toEqual(["UPLOAD_TOO_LARGE", "UPLOAD_UNASKED"]);
  expect(await readdir(folder)).toEqual([]);
});
