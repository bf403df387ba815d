import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_UPLOAD_BYTES, decodeUploadChunk, encodeUploadChunk } from "./upload-framing.ts";

describe("upload framing", () => {
  it("brings any chunk back", () => {
    const chunk = fc.record({
      offset: fc.integer({ min: 0, max: MAX_UPLOAD_BYTES - 100 }),
      last: fc.boolean(),
      data: fc.uint8Array({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(chunk, (original) => {
        const { offset, last, data } = decodeUploadChunk(encodeUploadChunk(original));
        expect({ offset, last, data: [...data] }).toEqual({ ...original, data: [...original.data] });
      }),
    );
  });

  it("answers garbage with UPLOAD_CHUNK and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeUploadChunk(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "UPLOAD_CHUNK" });
        }
      }),
    );
  });
});
