import { type Static, Type } from "typebox";
import { MeasuredStreamSchema } from "./camera.ts";
import { DisplayName, EpochMs, Id } from "./common.ts";
import { CameraCapabilitiesSchema, CameraStreamSchema } from "./events.ts";
import { pageLimit } from "./paging.ts";

/** Fields of a camera's record (一机一档) that count for its completeness. */
export const RECORD_FIELDS = [
  "manufacturer",
  "model",
  "firmware",
  "serial",
  "address",
  "hardwareAddress",
  "streams",
  "measures",
  "clockOffset",
  "position",
  "height",
  "heading",
  "tilt",
  "fieldOfView",
  "owner",
  "purpose",
  "legalBasis",
  "siteCategory",
  "signPhoto",
  "filingNumber",
  "gb28181Code",
] as const;
export const RecordFieldSchema = Type.Enum(RECORD_FIELDS);
export type RecordField = Static<typeof RecordFieldSchema>;

/** A sign photograph is at most this long. */
export const MAX_SIGN_PHOTO_BYTES = 2 * 1024 * 1024;

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const text = (maxLength: number) => orNull(Type.String({ minLength: 1, maxLength }));

const coordinates = {
  latitude: Type.Number({ minimum: -90, maximum: 90 }),
  longitude: Type.Number({ minimum: -180, maximum: 180 }),
};
const Slug = Type.String({ pattern: "^[a-z][a-z0-9_]{0,62}$" });

/** What only people know of a camera. */
const said = {
  /** Of the camera above the ground, m. */
  heightM: orNull(Type.Number({ minimum: -100, maximum: 1_000 })),
  /** Where it looks, degrees clockwise from north. */
  headingDeg: orNull(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
  /** Below 0: downwards. */
  tiltDeg: orNull(Type.Number({ minimum: -90, maximum: 90 })),
  /** Horizontal. */
  fieldOfViewDeg: orNull(Type.Number({ exclusiveMinimum: 0, maximum: 360 })),
  /** The unit that answers for it. */
  owner: text(200),
  purpose: text(500),
  legalBasis: text(500),
  /** Slug of a site category. */
  siteCategory: orNull(Slug),
  filingNumber: text(100),
};

/** `null`: not known. `version` is the one that it was made from, 0 where there was none. */
export const DeviceRecordPut = Type.Object(
  {
    position: orNull(
      Type.Object(
        {
          ...coordinates,
          /** WGS84 or CGCS2000. */
          coordinateSystem: Type.String({ minLength: 1, maxLength: 32 }),
        },
        { additionalProperties: false },
      ),
    ),
    ...said,
    /** 20 digits (GB/T 28181). */
    gb28181Code: text(64),
    version: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
  },
  { additionalProperties: false },
);
export type DeviceRecordBody = Static<typeof DeviceRecordPut>;

export const SignPhotoSchema = Type.Object(
  {
    mediaType: Type.Enum(["image/jpeg", "image/png"]),
    bytes: Type.Integer({ minimum: 1, maximum: MAX_SIGN_PHOTO_BYTES }),
    /** Of the file, hex. */
    sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
    uploadedBy: Type.String({ maxLength: 64 }),
    uploadedAtMs: EpochMs,
  },
  { additionalProperties: false },
);
export type SignPhoto = Static<typeof SignPhotoSchema>;

const NullableText = orNull(Type.String({ maxLength: 500 }));

/** What the camera's agent says of it, and what was counted from its pictures. */
export const DeviceFactsSchema = Type.Object(
  {
    manufacturer: NullableText,
    model: NullableText,
    firmware: NullableText,
    serial: NullableText,
    /** Host and port. */
    address: NullableText,
    /** MAC address. */
    hardwareAddress: NullableText,
    /** WS-Addressing endpoint. */
    endpoint: NullableText,
    capabilities: CameraCapabilitiesSchema,
    ptz: Type.Boolean(),
    streams: Type.Array(CameraStreamSchema),
    measured: Type.Array(MeasuredStreamSchema),
    /** Device clock minus agent clock. */
    clockOffsetMs: Type.Union([Type.Integer(), Type.Null()]),
    describedAtMs: Type.Union([EpochMs, Type.Null()]),
  },
  { additionalProperties: false },
);
export type DeviceFacts = Static<typeof DeviceFactsSchema>;

export const DeviceRecordSchema = Type.Object(
  {
    cameraId: Id,
    name: DisplayName,
    areaId: orNull(Id),
    position: orNull(
      Type.Object(
        { ...coordinates, coordinateSystem: Type.Enum(["WGS84", "CGCS2000"]) },
        { additionalProperties: false },
      ),
    ),
    ...said,
    gb28181Code: orNull(Type.String({ pattern: "^[0-9]{20}$" })),
    /** What the standard's tables do not name in the code. */
    gb28181Warnings: Type.Array(Type.Enum(["unknown_industry", "not_a_camera_type", "unknown_province"])),
    /** null: there is none. */
    signPhoto: orNull(SignPhotoSchema),
    device: DeviceFactsSchema,
    completeness: Type.Object(
      {
        /** 100 only when nothing is missing. */
        percent: Type.Integer({ minimum: 0, maximum: 100 }),
        /** The weightiest first. */
        missing: Type.Array(RecordFieldSchema),
      },
      { additionalProperties: false },
    ),
    updatedBy: NullableText,
    updatedAtMs: Type.Union([EpochMs, Type.Null()]),
    /** 0: nobody wrote it yet. */
    version: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);
export type DeviceRecord = Static<typeof DeviceRecordSchema>;

const filter = {
  /** Only records in which something is missing; `false`: only those in which nothing is. */
  incomplete: Type.Optional(Type.Boolean()),
  /** Only records in which this is missing. */
  missing: Type.Optional(RecordFieldSchema),
};
export const DeviceRecordFilter = Type.Object(filter, { additionalProperties: false });
export const DeviceRecordQuery = Type.Object(
  {
    ...filter,
    /** `next` of the page before. */
    after: Type.Optional(Id),
    limit: pageLimit(500, 100),
  },
  { additionalProperties: false },
);
/** With a filter a page may be short, even empty, while `next` is not null. */
export const DeviceRecordPage = Type.Object(
  { records: Type.Array(DeviceRecordSchema), next: orNull(Id) },
  { additionalProperties: false },
);

export const SiteCategorySchema = Type.Object(
  {
    slug: Slug,
    name: DisplayName,
    nameEn: DisplayName,
    /** No camera may be registered there. */
    prohibited: Type.Boolean(),
    basis: NullableText,
    /** The law's own: its prohibition cannot be lifted. */
    isFixed: Type.Boolean(),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type SiteCategory = Static<typeof SiteCategorySchema>;
/** Without `version` the category is made; with it, changed. A prohibition names its basis. */
export const SiteCategoryPut = Type.Object(
  {
    name: DisplayName,
    nameEn: DisplayName,
    prohibited: Type.Boolean(),
    basis: NullableText,
    version: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
export type SiteCategoryPut = Static<typeof SiteCategoryPut>;
/** The name that records hold: never changed, so that no record changes its meaning. */
export const SiteCategoryParams = Type.Object(
  { slug: Type.String({ pattern: "^[a-z][a-z0-9_]{0,62}$" }) },
  { additionalProperties: false },
);
export const SiteCategoryList = Type.Object(
  { categories: Type.Array(SiteCategorySchema) },
  { additionalProperties: false },
);
