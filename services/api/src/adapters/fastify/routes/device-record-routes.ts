import {
  type DeviceRecord,
  DeviceRecordFilter,
  DeviceRecordPage,
  DeviceRecordPut,
  DeviceRecordQuery,
  DeviceRecordSchema,
} from "@huishi/contracts";
import { Readable } from "node:stream";
import { Type } from "typebox";
import {
  type DeviceRecordStore,
  eachRecord,
  getRecord,
  pageRecords,
  putRecord,
} from "../../../application/device-records.ts";
import { recordSheetHead, recordSheetLine } from "../../../domain/record-sheet.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams } from "../schemas.ts";
import { addSignPhotoRoutes } from "./sign-photo-routes.ts";

const tags = ["device records"];
const Sheet = { content: { "text/csv": { schema: Type.Unsafe<Readable>({ type: "string" }) } } };

/** The record of each camera (一机一档): what its agent says, and what only people know. */
export function addDeviceRecordRoutes(app: App, records: DeviceRecordStore): void {
  app.get(
    "/api/v1/cameras/:id/record",
    {
      schema: {
        tags,
        summary: "A camera's record, with what is missing in it",
        params: IdParams,
        response: { 200: DeviceRecordSchema, ...errorResponses },
      },
    },
    ({ params }) => getRecord(records, params.id),
  );
  app.put(
    "/api/v1/cameras/:id/record",
    {
      schema: {
        tags,
        summary: "Write what people know of a camera; names the version it was made from (0: none yet)",
        params: IdParams,
        body: DeviceRecordPut,
        response: { 200: DeviceRecordSchema, ...errorResponses },
      },
    },
    (request) =>
      putRecord(records, {
        cameraId: request.params.id,
        body: request.body,
        by: sessionOf(request).user.userName,
      }),
  );
  addRecordLists(app, records);
  addSignPhotoRoutes(app, records);
}

function addRecordLists(app: App, records: DeviceRecordStore): void {
  app.get(
    "/api/v1/device-records",
    {
      schema: {
        tags,
        summary: "Records of all cameras; a filtered page may be short while `next` is not null",
        querystring: DeviceRecordQuery,
        response: { 200: DeviceRecordPage, ...errorResponses },
      },
    },
    ({ query }) => pageRecords(records, query),
  );
  app.get(
    "/api/v1/device-records.csv",
    {
      schema: {
        tags,
        summary:
          "Records of all cameras as a sheet (UTF-8); text that looks like a formula gets an apostrophe",
        querystring: DeviceRecordFilter,
        response: { 200: Sheet, ...errorResponses },
      },
    },
    async ({ query }, reply) => {
      void reply
        .type("text/csv; charset=utf-8")
        .header("content-disposition", 'attachment; filename="device-records.csv"');
      return reply.send(Readable.from(sheetOf(eachRecord(records, query))));
    },
  );
}

async function* sheetOf(records: AsyncIterable<DeviceRecord>): AsyncGenerator<string, void, undefined> {
  yield recordSheetHead();
  for await (const record of records) yield recordSheetLine(record);
}
