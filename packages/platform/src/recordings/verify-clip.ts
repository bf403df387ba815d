// Checks a clip against what its agent signed when the pictures were taken.
import {
  type ClipManifest,
  ClipManifestSchema,
  type SegmentManifest,
  SegmentManifestSchema,
  type SignedText,
} from "@huishi/contracts";
import { createHash, type Hash } from "node:crypto";
import { Check } from "typebox/value";
import { isSignedBy } from "../crypto/signing-key.ts";

export type ClipProblemCode =
  | "CLIP_MANIFEST_INVALID"
  | "CLIP_SIGNATURE_INVALID"
  | "CLIP_BYTES_CHANGED"
  | "CLIP_SEGMENT_MISSING"
  | "CLIP_LENGTH_WRONG";

export interface ClipProblem {
  readonly code: ClipProblemCode;
  /** Which segment, which group, which bytes. */
  readonly message: string;
}

export interface ClipVerdict {
  readonly manifest: ClipManifest | null;
  /** `unknown key`: the hashes were checked, the signatures could not be. */
  readonly signature: "valid" | "invalid" | "unknown key";
  readonly problems: readonly ClipProblem[];
}

interface ExpectedGroup {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The text's manifest, or null when it is none. */
export function readSegmentManifest(text: string): SegmentManifest | null {
  return parsed(text, (value): value is SegmentManifest => Check(SegmentManifestSchema, value));
}

export function readClipManifest(text: string): ClipManifest | null {
  return parsed(text, (value): value is ClipManifest => Check(ClipManifestSchema, value));
}

export const textHash = (text: string): string => createHash("sha256").update(text).digest("hex");

/**
 * @param publicKey raw Ed25519 key (32 bytes) of the agent; null when nobody knows it
 * @param bitstream the picture records behind the manifest, in chunks of any size
 */
export async function verifyClip(
  signed: SignedText,
  bitstream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  publicKey: Uint8Array | null,
): Promise<ClipVerdict> {
  const manifest = readClipManifest(signed.text);
  const problems: ClipProblem[] = [];
  if (!manifest) {
    problems.push({
      code: "CLIP_MANIFEST_INVALID",
      message: "the clip's manifest is not what the contract says",
    });
    return { manifest, signature: "invalid", problems };
  }
  checkSignatures(signed, manifest, publicKey, problems);
  const groups = expectedGroups(manifest, problems);
  await checkBytes(manifest, groups, bitstream, problems);

  const signature = problems.length > 0 ? "invalid" : publicKey ? "valid" : "unknown key";
  return { manifest, signature, problems };
}

const isGenuine = (publicKey: Uint8Array, { text, signature }: SignedText): boolean =>
  isSignedBy(publicKey, text, Buffer.from(signature, "base64url"));

function checkSignatures(
  signed: SignedText,
  manifest: ClipManifest,
  publicKey: Uint8Array | null,
  problems: ClipProblem[],
): void {
  if (!publicKey) return;
  const invalid = (what: string): void =>
    void problems.push({
      code: "CLIP_SIGNATURE_INVALID",
      message: `${what} was not signed by the agent's key`,
    });
  if (!isGenuine(publicKey, signed)) invalid("the clip's manifest");
  manifest.segments.forEach((segment, i) => {
    if (!isGenuine(publicKey, segment.manifest)) invalid(`the manifest of segment ${i + 1} of the clip`);
  });
}

/** The groups that must follow one another, as they were signed; notes a chain that does not hold. */
function expectedGroups(manifest: ClipManifest, problems: ClipProblem[]): ExpectedGroup[] {
  const groups: ExpectedGroup[] = [];
  let before: { readonly manifest: SegmentManifest; readonly text: string } | null = null;
  for (const part of manifest.segments) {
    const { text } = part.manifest;
    const segment = readSegmentManifest(text);
    if (!segment || !belongs(segment, manifest)) {
      problems.push({
        code: "CLIP_MANIFEST_INVALID",
        message: "a segment's manifest is not one of this clip's stream",
      });
      continue;
    }
    if (before) checkChain(before, segment, problems);
    before = { manifest: segment, text };
    for (const index of part.groups) {
      const group = segment.groups[index];
      const name = `segment ${segment.sequence}, group ${index + 1} (${group ? new Date(group.fromMs).toISOString() : "?"})`;
      if (group) groups.push({ name, bytes: group.bytes, sha256: group.sha256 });
      else problems.push({ code: "CLIP_MANIFEST_INVALID", message: `${name} does not exist` });
    }
  }
  return groups;
}

function belongs(segment: SegmentManifest, clip: ClipManifest): boolean {
  return (
    segment.cameraId === clip.cameraId && segment.profile === clip.profile && segment.agentId === clip.agentId
  );
}

function checkChain(
  before: { readonly manifest: SegmentManifest; readonly text: string },
  segment: SegmentManifest,
  problems: ClipProblem[],
): void {
  const expected = before.manifest.sequence + 1;
  if (segment.sequence === expected && segment.previous === textHash(before.text)) return;
  const message =
    segment.sequence > expected
      ? `segments ${expected} to ${segment.sequence - 1} are missing`
      : `segment ${segment.sequence} does not follow on segment ${before.manifest.sequence}`;
  problems.push({ code: "CLIP_SEGMENT_MISSING", message });
}

async function checkBytes(
  manifest: ClipManifest,
  groups: readonly ExpectedGroup[],
  bitstream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  problems: ClipProblem[],
): Promise<void> {
  const whole = createHash("sha256");
  const walk = new GroupWalk(groups, problems);
  let bytes = 0;
  for await (const chunk of bitstream) {
    whole.update(chunk);
    walk.push(chunk);
    bytes += chunk.byteLength;
  }
  const expected = groups.reduce((sum, group) => sum + group.bytes, 0);
  if (bytes !== expected || bytes !== manifest.bytes) {
    problems.push({ code: "CLIP_LENGTH_WRONG", message: `${bytes} bytes came instead of ${expected}` });
  }
  if (whole.digest("hex") !== manifest.sha256 && problems.length === 0) {
    problems.push({ code: "CLIP_BYTES_CHANGED", message: "the whole is not what was signed" });
  }
}

/** Hashes the bytes group by group. */
class GroupWalk {
  readonly #groups: readonly ExpectedGroup[];
  readonly #problems: ClipProblem[];
  #index = 0;
  #left: number;
  #hash: Hash = createHash("sha256");

  constructor(groups: readonly ExpectedGroup[], problems: ClipProblem[]) {
    this.#groups = groups;
    this.#problems = problems;
    this.#left = groups[0]?.bytes ?? 0;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength && this.#index < this.#groups.length) {
      const part = chunk.subarray(at, at + this.#left);
      this.#hash.update(part);
      at += part.byteLength;
      this.#left -= part.byteLength;
      if (this.#left === 0) this.#next();
    }
  }

  #next(): void {
    const group = this.#groups[this.#index] as ExpectedGroup;
    if (this.#hash.digest("hex") !== group.sha256)
      this.#problems.push({ code: "CLIP_BYTES_CHANGED", message: `${group.name} is not what was recorded` });
    this.#index += 1;
    this.#left = this.#groups[this.#index]?.bytes ?? 0;
    this.#hash = createHash("sha256");
  }
}

function parsed<T>(text: string, isOne: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(text);
    return isOne(value) ? value : null;
  } catch {
    return null;
  }
}
