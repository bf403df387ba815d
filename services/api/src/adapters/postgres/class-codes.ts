import { OBJECT_CLASSES, type ObjectClass } from "@huishi/contracts";

const CLASS_OF_CODE = new Map<number, string>(
  Object.entries(OBJECT_CLASSES).map(([name, code]) => [code, name]),
);

/** The class of a narrow row's code; codes of a newer version keep their number. */
export const classOf = (code: number): string => CLASS_OF_CODE.get(code) ?? `class ${code}`;

/** The code of what `classOf` gave; 0 for any other text. */
export function codeOf(name: string): number {
  const code = Object.entries(OBJECT_CLASSES).find(([known]) => known === name)?.[1];
  const later = /^class ([0-9]{1,5})$/.exec(name)?.[1];
  return code ?? Math.min(Number(later ?? 0), 32_767);
}

export const codesOf = (classes: readonly ObjectClass[]): number[] =>
  classes.map((name) => OBJECT_CLASSES[name]);

/** Fractions stand in narrow rows scaled by this. */
export const SCALE = 10_000;
