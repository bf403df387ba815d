import type { DatastreamMapping } from "@huishi/contracts";

export type Register = NonNullable<DatastreamMapping["register"]>;
export type RegisterTable = Register["table"];

/** Longest reads that Modbus allows (Modbus Application Protocol 1.1b3 §6.1 to §6.4). */
const MAX_BITS = 2_000;
const MAX_WORDS = 125;
/** Unused registers between two used ones that are read along: cheaper than a second request. */
const MAX_GAP = 8;

const WORDS = { bit: 1, int16: 1, uint16: 1, int32: 2, uint32: 2, float32: 2, float64: 4 } as const;

/** How many bits or 16-bit words a register takes. */
export const registerLength = ({ type }: Register): number => WORDS[type];

export const isBitTable = (table: RegisterTable): boolean => table === "coil" || table === "discrete_input";

/** One request: neighbours in one table. */
export interface RegisterBlock {
  readonly table: RegisterTable;
  readonly address: number;
  /** Bits or words. */
  readonly count: number;
  /** Which of the registers that were asked for lie in it. */
  readonly members: readonly number[];
}

/** Puts neighbouring registers into common requests, each within what Modbus allows. */
export function planBlocks(registers: readonly Register[]): RegisterBlock[] {
  const order = registers
    .map((register, index) => ({ register, index }))
    .sort(
      (a, b) => a.register.table.localeCompare(b.register.table) || a.register.address - b.register.address,
    );
  const blocks: { table: RegisterTable; address: number; count: number; members: number[] }[] = [];
  for (const { register, index } of order) {
    const { table, address } = register;
    const end = address + registerLength(register);
    const last = blocks.at(-1);
    const max = isBitTable(table) ? MAX_BITS : MAX_WORDS;
    const joins =
      last?.table === table && address - (last.address + last.count) <= MAX_GAP && end - last.address <= max;
    if (last && joins) {
      last.count = Math.max(last.count, end - last.address);
      last.members.push(index);
    } else blocks.push({ table, address, count: end - address, members: [index] });
  }
  return blocks;
}

/**
 * The number that a register holds, out of the data bytes of its block's answer (bits: eight a byte, lowest first;
 * words: big-endian bytes). Float64 and the like may be NaN.
 */
export function readRegister(data: Uint8Array, block: RegisterBlock, register: Register): number {
  const at = register.address - block.address;
  if (isBitTable(block.table)) return ((data[at >> 3] ?? 0) >> (at & 7)) & 1;
  const length = registerLength(register);
  const bytes = new DataView(new ArrayBuffer(length * 2));
  for (let word = 0; word < length; word += 1) {
    const from = (at + (register.wordOrder === "little" ? length - 1 - word : word)) * 2;
    bytes.setUint8(word * 2, data[from] ?? 0);
    bytes.setUint8(word * 2 + 1, data[from + 1] ?? 0);
  }
  switch (register.type) {
    case "int16":
      return bytes.getInt16(0);
    case "int32":
      return bytes.getInt32(0);
    case "uint32":
      return bytes.getUint32(0);
    case "float32":
      // What a float32 means, and not the digits that a double adds to it.
      return Number(bytes.getFloat32(0).toPrecision(7));
    case "float64":
      return bytes.getFloat64(0);
    default:
      return bytes.getUint16(0);
  }
}
