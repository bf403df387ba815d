/** Crockford's base 32: no I, L, O, U, so that a code survives being read aloud on a pole. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Writes bytes as groups of five characters, e.g. 16 bytes as `7ZK4Q-...-X2`. */
export function formatClaimCode(bytes: Uint8Array): string {
  let text = "";
  let carry = 0;
  let carryBits = 0;
  for (const byte of bytes) {
    carry = (carry << 8) | byte;
    carryBits += 8;
    while (carryBits >= 5) {
      carryBits -= 5;
      text += ALPHABET[(carry >> carryBits) & 31];
      carry &= (1 << carryBits) - 1;
    }
  }
  if (carryBits > 0) text += ALPHABET[(carry << (5 - carryBits)) & 31];
  return text.replace(/(.{5})(?=.)/g, "$1-");
}

/** The one spelling that is hashed: upper case, no separators, look-alikes put right. */
export function normaliseClaimCode(text: string): string {
  return text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
}
