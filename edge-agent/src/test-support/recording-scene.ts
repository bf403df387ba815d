// Pictures for recordings, and a ring buffer on a folder of its own.
import { keyIdOf, newSignKeyPair, type SignKeyPair, signMessage } from "@huishi/platform";
import { createHash } from "node:crypto";
import type { CapturedUnit, Signer } from "../application/ports.ts";

export const GOP_PICTURES = 10;
export const PICTURE_MS = 100;

/** The n-th picture of a stream: a keyframe each second, bytes that follow from n. */
export function pictureAt(n: number, startMs: number, bytes = 400): CapturedUnit {
  const keyframe = n % GOP_PICTURES === 0;
  const seed = createHash("sha256").update(String(n)).digest();
  const body = Buffer.alloc(bytes, seed);
  const annexB = Buffer.concat([Buffer.from([0, 0, 0, 1, keyframe ? 0x65 : 0x41]), body]);
  const capturedAtMs = startMs + n * PICTURE_MS;
  return {
    codec: "h264",
    annexB,
    keyframe,
    disposable: false,
    changed: false,
    ptsMs: n * PICTURE_MS,
    capturedAtMs,
    unitNumber: n,
  };
}

export function testSigner(keys: SignKeyPair = newSignKeyPair()): Signer & { readonly keys: SignKeyPair } {
  return { keys, keyId: keyIdOf(keys.publicKey), sign: (text) => signMessage(keys, text) };
}
