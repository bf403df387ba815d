import { OBJECT_CLASSES, type ObjectClass } from "@huishi/contracts";

const CLASS_OF_CODE = new Map<number, string>(
  Object.entries(OBJECT_CLASSES).map(([name, code]) => [code, name]),
);

/** The class of a narrow row's code; codes of a newer version keep their number. */
export const classOf = (code: number): string => CLASS_OF_CODE.get(code) ?? `class ${code}`;

export const codesOf = (classes: readonly ObjectClass[]): number[] =>
  classes.map((name) => OBJECT_CLASSES[name]);

/** Fractions stand in narrow rows scaled by this. */
export const SCALE = 10_000;
