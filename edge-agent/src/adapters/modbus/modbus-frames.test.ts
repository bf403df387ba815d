import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeAnswer, encodeRead, FrameCutter } from "./modbus-frames.ts";

const request = { unitId: 17, table: "holding_register", address: 0x006b, count: 3 } as const;

test("a request is the example of MODBUS Application Protocol §6.3", () => {
  expect(encodeRead(0x1501, request).toString("hex")).toBe("1501000000061103006b0003");
});

const answer = (pdu: string, unitId = 17): Parameters<typeof decodeAnswer>[1] => ({
  transaction: 1,
  unitId,
  pdu: Buffer.from(pdu, "hex"),
});

test("an answer is taken only when it fits its request", () => {
  expect(decodeAnswer(request, answer("0306022b00000064"))).toMatchObject({ kind: "data" });
  expect(decodeAnswer(request, answer("8302"))).toEqual({ kind: "exception", exception: 2 });
  // Too short, another function, another length told, another unit, an exception with something behind it.
  for (const wrong of ["030402 2b0000", "0406022b00000064", "0304022b00000064", "", "83", "830200"]) {
    expect(decodeAnswer(request, answer(wrong.replace(" ", "")))).toEqual({ kind: "malformed" });
  }
  expect(decodeAnswer(request, answer("0306022b00000064", 18))).toEqual({ kind: "malformed" });
  const coils = { ...request, table: "coil", count: 19 } as const;
  expect(decodeAnswer(coils, answer("0103cd6b05"))).toMatchObject({ kind: "data" });
  expect(decodeAnswer(coils, answer("0102cd6b"))).toEqual({ kind: "malformed" });
});

test("frames are cut the same however the bytes come", () => {
  const frame = fc
    .record({
      transaction: fc.nat(0xffff),
      unitId: fc.nat(255),
      pdu: fc.uint8Array({ minLength: 1, maxLength: 253 }),
    })
    .map((each) => ({ ...each, pdu: Buffer.from(each.pdu) }));
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (frames, cuts) => {
        const bytes = Buffer.concat(
          frames.map(({ transaction, unitId, pdu }) => {
            const head = Buffer.alloc(7);
            head.writeUInt16BE(transaction, 0);
            head.writeUInt16BE(pdu.length + 1, 4);
            head.writeUInt8(unitId, 6);
            return Buffer.concat([head, pdu]);
          }),
        );
        const cutter = new FrameCutter();
        const found = [];
        for (let at = 0, i = 0; at < bytes.length; i += 1) {
          const length = cuts[i % Math.max(1, cuts.length)] ?? 1_000;
          found.push(...(cutter.feed(bytes.subarray(at, at + length)) ?? []));
          at += length;
        }
        expect(found.map((each) => ({ ...each, pdu: Buffer.from(each.pdu) }))).toEqual(frames);
      },
    ),
  );
});

test("whatever comes, nothing is thrown and at most one frame is kept back", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 20 }), (chunks) => {
      const cutter = new FrameCutter();
      for (const chunk of chunks) if (cutter.feed(chunk) === null) return;
    }),
  );
  expect(new FrameCutter().feed(Buffer.from("0001000100060102", "hex"))).toBeNull();
  expect(new FrameCutter().feed(Buffer.from("00010000ffff0102", "hex"))).toBeNull();
});
