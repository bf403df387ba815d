import { ID_PATTERN } from "@huishi/kernel";
import { type Static, Type } from "typebox";

/** Identifier of an agent, camera, zone or rule. */
export const Id = Type.String({ pattern: ID_PATTERN, minLength: 1, maxLength: 64 });
/** A name given by a person: any text, shown as text, never as markup. */
export const DisplayName = Type.String({ minLength: 1, maxLength: 120 });
/** Milliseconds since the Unix epoch, UTC. */
export const EpochMs = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000 });
/** A coordinate or length in the picture, as a fraction of its width or height. */
export const Fraction = Type.Number({ minimum: 0, maximum: 1 });

export const PointSchema = Type.Object({ x: Fraction, y: Fraction }, { additionalProperties: false });
export const BoxSchema = Type.Object(
  { x: Fraction, y: Fraction, w: Fraction, h: Fraction },
  { additionalProperties: false },
);

/** P1 most urgent. Colour, shape and word for each stand in the dashboard's design tokens. */
export const PrioritySchema = Type.Union([
  Type.Literal("P1"),
  Type.Literal("P2"),
  Type.Literal("P3"),
  Type.Literal("P4"),
]);
export type Priority = Static<typeof PrioritySchema>;

/** `main` is the camera's full picture; `sub` its small one, for walls and analysis. */
export const StreamProfileSchema = Type.Union([Type.Literal("main"), Type.Literal("sub")]);
export type StreamProfile = Static<typeof StreamProfileSchema>;

/** Object classes the default model is trusted with, and their stable codes in narrow database rows. */
export const OBJECT_CLASSES = {
  person: 1,
  bicycle: 2,
  car: 3,
  motorcycle: 4,
  bus: 5,
  truck: 6,
  train: 7,
  boat: 8,
  dog: 9,
  cat: 10,
} as const;
export type ObjectClass = keyof typeof OBJECT_CLASSES;
export const ObjectClassSchema = Type.Enum(Object.keys(OBJECT_CLASSES) as ObjectClass[]);
