import fc from "fast-check";
import { expect, test } from "vitest";
import { planBlocks, readRegister, type Register, registerLength } from "./registers.ts";

const word = (
  address: number,
  type: Register["type"] = "uint16",
  more: Partial<Register> = {},
): Register => ({
  table: "holding_register",
  address,
  type,
  ...more,
});

test("neighbours share a request, what is far apart does not", () => {
  const registers = [
    word(100),
    word(0),
    word(1, "float32"),
    word(9),
    { ...word(3), table: "input_register" as const },
  ];
  expect(planBlocks(registers)).toEqual([
    { table: "holding_register", address: 0, count: 10, members: [1, 2, 3] },
    { table: "holding_register", address: 100, count: 1, members: [0] },
    { table: "input_register", address: 3, count: 1, members: [4] },
  ]);
});

test("every register lies whole in exactly one block, and no block is longer than Modbus allows", () => {
  const table = fc.constantFrom("coil", "discrete_input", "holding_register", "input_register");
  const register = fc
    .record({ table, address: fc.nat(600), type: fc.constantFrom("int16", "float32", "float64") })
    .map(({ table, address, type }) =>
      table === "coil" || table === "discrete_input"
        ? { table, address, type: "bit" }
        : { table, address, type },
    ) as fc.Arbitrary<Register>;
  fc.assert(
    fc.property(fc.array(register, { minLength: 1, maxLength: 40 }), (registers) => {
      const blocks = planBlocks(registers);
      expect(blocks.flatMap(({ members }) => members).sort((a, b) => a - b)).toEqual(
        registers.map((_, i) => i),
      );
      for (const { table, address, count, members } of blocks) {
        expect(count).toBeLessThanOrEqual(table === "coil" || table === "discrete_input" ? 2_000 : 125);
        for (const i of members) {
          const member = registers[i] as Register;
          expect(member.table).toBe(table);
          expect(member.address).toBeGreaterThanOrEqual(address);
          expect(member.address + registerLength(member)).toBeLessThanOrEqual(address + count);
        }
      }
    }),
  );
});

test("numbers are read in both word orders, bits from their byte", () => {
  const data = Buffer.from([0xff, 0xfe, 0x41, 0x48, 0x00, 0x00]);
  const block = { table: "holding_register", address: 10, count: 3, members: [] } as const;
  expect(readRegister(data, block, word(10, "int16"))).toBe(-2);
  expect(readRegister(data, block, word(10))).toBe(65_534);
  expect(readRegister(data, block, word(11, "float32"))).toBe(12.5);
  const swapped = Buffer.from([0x00, 0x00, 0x41, 0x48]);
  const at = { ...block, count: 2 };
  expect(readRegister(swapped, at, word(10, "float32", { wordOrder: "little" }))).toBe(12.5);
  expect(readRegister(Buffer.from([0, 1, 0, 0]), at, word(10, "uint32"))).toBe(65_536);
  const bits = { table: "coil", address: 4, count: 10, members: [] } as const;
  const coil = (address: number): Register => ({ table: "coil", address, type: "bit" });
  expect(
    [4, 5, 12, 13].map((address) => readRegister(Buffer.from([0b1, 0b10]), bits, coil(address))),
  ).toEqual([1, 0, 0, 1]);
});
