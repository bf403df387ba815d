import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ArchiveWriter } from "./archive-writer.ts";
import { type Column, inForeignKeyOrder } from "./catalogue.ts";
import { type BackupManifest, MANIFEST_NAME, partName } from "./manifest.ts";
import { TableParts } from "./table-parts.ts";
import { decodeHeader, encodeHeader } from "./tar.ts";
import { temporaryFolder } from "./test-support/scene.ts";
import { verifyBackup } from "./verify.ts";

const PASSPHRASE = "correct horse battery staple";
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = path.join(folder.path, "small.backup");
});
afterEach(() => folder.remove());

const sha256 = (content: string | Buffer): string => createHash("sha256").update(content).digest("hex");
const TEXT = "1\tone\n2\ttwo\n";
const CONFIG = '{"secret":1}';
const MANIFEST: BackupManifest = {
  format: "huishi-backup",
  formatVersion: 1,
  productVersion: "test",
  createdAt: "2026-11-24T00:00:00.000Z",
  server: { version: "18.4", mode: "plain" },
  migrations: [],
  tables: [
    {
      name: "t",
      columns: [{ name: "n", type: "integer" }],
      rows: 2,
      bytes: TEXT.length,
      sha256: sha256(TEXT),
      rowHash: "7",
      ranges: [],
    },
  ],
  tablesLeftOut: [],
  sequences: [],
  files: [{ path: "edge-agent.json", bytes: CONFIG.length, sha256: sha256(CONFIG) }],
  filesLeftOut: [],
};

async function makeArchive(
  passphrase: string | null,
  manifest: unknown = MANIFEST,
  filePath?: string,
): Promise<void> {
  const archive = await ArchiveWriter.create(file, passphrase, new Date("2026-11-24"));
  const add = (name: string, content: Buffer): Promise<void> => archive.add(name, content.length, [content]);
  await add(filePath ?? "config/edge-agent.json", Buffer.from(CONFIG));
  await add(partName("t", 1), gzipSync(TEXT));
  await add(MANIFEST_NAME, Buffer.from(JSON.stringify(manifest)));
  await archive.finish();
}

const CODES = /^BACKUP_(DAMAGED|PASSPHRASE_WRONG|FORMAT_NEWER)$/;

test.each([null, PASSPHRASE])(
  "a change of any byte and a cut at any place is found (passphrase: %s)",
  async (passphrase) => {
    await makeArchive(passphrase);
    expect(await verifyBackup({ file, passphrase })).toEqual(MANIFEST);
    const whole = await readFile(file);
    const refused = async (bytes: Buffer): Promise<void> => {
      await writeFile(file, bytes);
      await expect(verifyBackup({ file, passphrase })).rejects.toMatchObject({
        code: expect.stringMatching(CODES) as string,
      });
    };
    // Encrypted, each try costs a key derivation.
    const numRuns = passphrase === null ? 600 : 12;
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const bytes = Buffer.from(whole);
          bytes[at]! ^= flip;
          await refused(bytes);
        },
      ),
      { numRuns },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length - 1 }), (length) => refused(whole.subarray(0, length))),
      { numRuns: numRuns / 4 },
    );
    await refused(Buffer.concat([whole, Buffer.alloc(1)]));
  },
  60_000,
);

test("chunks of an encrypted archive can be neither swapped nor left out", async () => {
  const archive = await ArchiveWriter.create(file, PASSPHRASE, new Date());
  const big = Buffer.alloc(300_000, 1);
  await archive.add("config/big", big.length, [big]);
  await archive.finish();
  const whole = await readFile(file);
  const [header, chunk] = [58, 64 * 1024 + 16];
  const piece = (index: number): Buffer =>
    whole.subarray(header + index * chunk, header + (index + 1) * chunk);
  const rest = whole.subarray(header + 2 * chunk);
  for (const pieces of [
    [piece(1), piece(0), rest],
    [piece(1), rest],
    [piece(0), piece(1)],
  ]) {
    await writeFile(file, Buffer.concat([whole.subarray(0, header), ...pieces]));
    await expect(verifyBackup({ file, passphrase: PASSPHRASE })).rejects.toMatchObject({
      code: "BACKUP_DAMAGED",
    });
  }
});

test("tar and gzip read an archive", async () => {
  await makeArchive(null);
  const out = path.join(folder.path, "out");
  mkdirSync(out);
  execFileSync("tar", ["xf", file, "-C", out]);
  expect(readdirSync(out).sort()).toEqual(["SHA256", "config", "manifest.json", "tables"]);
  expect(await readFile(path.join(out, "config/edge-agent.json"), "utf8")).toBe(CONFIG);
  expect(execFileSync("gzip", ["-dc", path.join(out, partName("t", 1))]).toString()).toBe(TEXT);
});

test("an archive that does not fit its manifest is damaged, one of a later format is refused as such", async () => {
  for (const [manifest, code] of [
    [{ ...MANIFEST, formatVersion: 2 }, "BACKUP_FORMAT_NEWER"],
    [{ ...MANIFEST, tables: [{ ...MANIFEST.tables[0], rows: 3 }] }, "BACKUP_DAMAGED"],
    [{ ...MANIFEST, tables: [] }, "BACKUP_DAMAGED"],
    [{ ...MANIFEST, files: [] }, "BACKUP_DAMAGED"],
    [{ hello: 1 }, "BACKUP_DAMAGED"],
    [null, "BACKUP_DAMAGED"],
  ] as const) {
    await makeArchive(null, manifest);
    await expect(verifyBackup({ file, passphrase: null })).rejects.toMatchObject({ code });
    await writeFile(file, "");
    const { rm } = await import("node:fs/promises");
    await rm(file);
  }
});

test.each(["config/../../etc/cron.d/x", "config//etc/passwd", "config/a\\b", "config/./x"])(
  "a stranger's archive with the path %s is refused",
  async (name) => {
    await makeArchive(null, MANIFEST, name);
    await expect(verifyBackup({ file, passphrase: null })).rejects.toMatchObject({ code: "BACKUP_DAMAGED" });
  },
);

test("a header is read back as it was written", () => {
  const part = fc.stringMatching(/^[a-z0-9汇]{1,20}$/);
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 6 }),
      fc.nat(),
      fc.nat(),
      (parts, bytes, modifiedAtS) => {
        const header = { name: parts.join("/"), bytes, modifiedAtS };
        expect(decodeHeader(encodeHeader(header))).toEqual(header);
      },
    ),
  );
  expect(() => encodeHeader({ name: "x".repeat(101), bytes: 0, modifiedAtS: 0 })).toThrow(/too long/);
});

test("a table's parts hold what was taken, whatever the pieces, and the sender pauses", async () => {
  const stored: Buffer[] = [];
  let release: () => void = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const parts = new TableParts(async (part) => {
    await held;
    stored.push(part);
  });
  const piece = Buffer.alloc(3 * 1024 * 1024, 7);
  const taken = [parts.take(piece, () => {}), parts.take(piece, () => {})];
  let hasRoom = false;
  taken.push(parts.take(piece, () => (hasRoom = true)));
  expect(taken).toEqual([true, true, false]);
  expect(hasRoom).toBe(false);
  release();
  expect(await parts.finish()).toEqual({
    bytes: 3 * piece.length,
    sha256: sha256(Buffer.alloc(9 * 1024 * 1024, 7)),
  });
  expect(hasRoom).toBe(true);
  expect(stored).toHaveLength(3);
});

test("a part that cannot be stored ends the copy", async () => {
  const parts = new TableParts(() => Promise.reject(new Error("disk")));
  parts.take(Buffer.from("x"), () => {});
  await expect(parts.finish()).rejects.toThrow("disk");
});

test("a table comes after those that it refers to, itself and circles included", () => {
  const columns: Column[] = [];
  const tables = ["a", "b", "c", "d"].map((name) => ({ name, columns, heapBytes: 0 }));
  const references = new Map([
    ["a", ["c", "a"]],
    ["c", ["d", "elsewhere"]],
    ["d", ["c"]],
  ]);
  expect(inForeignKeyOrder(tables, references).map(({ name }) => name)).toEqual(["d", "c", "a", "b"]);
});
