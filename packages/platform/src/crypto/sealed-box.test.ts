import fc from "fast-check";
import { expect, test } from "vitest";
import { newSealKeyPair, openSealed, seal } from "./sealed-box.ts";
import { isSignedBy, newSignKeyPair, signMessage } from "./signing-key.ts";

const keys = newSealKeyPair();

test("whatever is sealed is opened by its owner, for what it was sealed for", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.string(), (message, context) => {
      const opened = openSealed(keys, seal(keys.publicKey, message, context), context);
      expect(Buffer.from(message).equals(opened)).toBe(true);
    }),
  );
});

test("nobody else opens it, not for another context, and not with any one bit changed", () => {
  const message = Buffer.from("the password");
  const sealed = seal(keys.publicKey, message, "gate/north");
  expect(() => openSealed(newSealKeyPair(), sealed, "gate/north")).toThrow("cannot be opened");
  expect(() => openSealed(keys, sealed, "gate/south")).toThrow("cannot be opened");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    // The highest bit of an X25519 key means nothing (RFC 7748 §5), but the key is derived from the bytes as sent.
    expect(() => openSealed(keys, changed, "gate/north"), `bit ${bit}`).toThrow("cannot be opened");
  }
});

test("rubbish of any length is refused with one and the same fault", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(() => openSealed(keys, bytes, "")).toThrow(expect.objectContaining({ code: "SEAL_BROKEN" }));
    }),
  );
});

test("sealing the same twice gives nothing alike", () => {
  const [one, other] = [1, 2].map(() => seal(keys.publicKey, Buffer.alloc(64), "").subarray(1));
  expect(one?.equals(other ?? Buffer.alloc(0))).toBe(false);
});

test("a signature holds for its key and message alone", () => {
  const signer = newSignKeyPair();
  const signature = signMessage(signer, "a message");
  expect(isSignedBy(signer.publicKey, "a message", signature)).toBe(true);
  expect(isSignedBy(signer.publicKey, "another", signature)).toBe(false);
  expect(isSignedBy(newSignKeyPair().publicKey, "a message", signature)).toBe(false);
  expect(isSignedBy(Buffer.alloc(3), "a message", signature)).toBe(false);
});
