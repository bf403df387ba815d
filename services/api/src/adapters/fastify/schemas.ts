import { type ErrorBody, Id } from "@huishi/contracts";
import { Type } from "typebox";

/** What every route may answer besides its success; app.ts adds ErrorBodySchema under its `$id`. */
const ErrorRef = Type.Unsafe<ErrorBody>({ $ref: "ErrorBody#" });
export const errorResponses = { "4xx": ErrorRef, "5xx": ErrorRef } as const;

export const IdParams = Type.Object({ id: Id }, { additionalProperties: false });
/** A row's number: 64 bits as decimal text. */
export const RowIdParams = Type.Object(
  { id: Type.String({ pattern: "^[0-9]{1,19}$" }) },
  { additionalProperties: false },
);
export const DatastreamParams = Type.Object(
  { id: Id, no: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) },
  { additionalProperties: false },
);
export const NoContent = Type.Null({ description: "Done; no content." });
