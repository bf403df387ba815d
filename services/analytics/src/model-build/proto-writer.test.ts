import { expect, test } from "vitest";
import { ProtoWriter } from "./proto-writer.ts";

const hex = (writer: ProtoWriter): string => Buffer.from(writer.finish()).toString("hex");

// Bytes from the encoding guide of protocol buffers.
test("field 1 = 150 is 08 96 01", () => {
  expect(hex(new ProtoWriter().integer(1, 150))).toBe("089601");
});

test('field 2 = "testing" is 12 07 and the text', () => {
  expect(hex(new ProtoWriter().string(2, "testing"))).toBe("120774657374696e67");
});

test("an embedded message is its bytes behind their length", () => {
  expect(hex(new ProtoWriter().message(3, new ProtoWriter().integer(1, 150)))).toBe("1a03089601");
});

test("packed numbers stand behind one tag", () => {
  expect(hex(new ProtoWriter().packed(6, [3, 270, 86942]))).toBe("3206038e029ea705");
});

test("a negative number takes ten bytes, a float four", () => {
  expect(hex(new ProtoWriter().integer(1, -2))).toBe("08feffffffffffffffff01");
  expect(hex(new ProtoWriter().float(2, 1))).toBe("150000803f");
});

test("a field above 15 has a tag of two bytes", () => {
  expect(hex(new ProtoWriter().integer(20, 7))).toBe("a00107");
});
