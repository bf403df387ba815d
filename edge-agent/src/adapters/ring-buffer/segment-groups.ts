import type { SegmentGroup } from "@huishi/contracts";
import { createHash, type Hash } from "node:crypto";

/** A group begins with a keyframe and holds at least this much, unless the segment ends first. */
const MIN_GROUP_MS = 1_000;

interface OpenGroup {
  readonly fromMs: number;
  toMs: number;
  pictures: number;
  bytes: number;
  readonly hash: Hash;
}

/** Hashes the records of a segment group by group, as they are written. */
export class SegmentGroups {
  readonly #closed: SegmentGroup[] = [];
  #current: OpenGroup | null = null;

  get isEmpty(): boolean {
    return this.#current === null && this.#closed.length === 0;
  }

  get fromMs(): number {
    return this.#closed[0]?.fromMs ?? this.#current?.fromMs ?? 0;
  }

  get toMs(): number {
    return this.#current?.toMs ?? this.#closed.at(-1)?.toMs ?? 0;
  }

  /** One record, in the parts that it is written in. */
  add(picture: { keyframe: boolean; capturedAtMs: number }, parts: readonly Uint8Array[]): void {
    const atMs = Math.round(picture.capturedAtMs);
    const current = this.#current;
    if (!current || (picture.keyframe && atMs - current.fromMs >= MIN_GROUP_MS)) this.#begin(atMs);
    const group = this.#current as unknown as OpenGroup;
    group.toMs = Math.max(group.toMs, atMs);
    group.pictures += 1;
    for (const part of parts) {
      group.bytes += part.byteLength;
      group.hash.update(part);
    }
  }

  finish(): readonly SegmentGroup[] {
    this.#end();
    return this.#closed;
  }

  #begin(atMs: number): void {
    this.#end();
    this.#current = { fromMs: atMs, toMs: atMs, pictures: 0, bytes: 0, hash: createHash("sha256") };
  }

  #end(): void {
    if (!this.#current) return;
    const { hash, ...group } = this.#current;
    this.#closed.push({ ...group, sha256: hash.digest("hex") });
    this.#current = null;
  }
}
