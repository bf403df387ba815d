import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { MAX_SIGN_PHOTO_BYTES, SignPhotoSchema } from "@huishi/contracts";
import { Type } from "typebox";
import {
  deleteSignPhoto,
  type DeviceRecordStore,
  getSignPhoto,
  putSignPhoto,
} from "../../../application/device-records.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, IdParams, NoContent } from "../schemas.ts";

const tags = ["device records"];
const path = "/api/v1/cameras/:id/sign-photo";
const Binary = Type.Unsafe<Buffer>({ type: "string", format: "binary" });
const Photo = { content: { "image/jpeg": { schema: Binary }, "image/png": { schema: Binary } } };
// The bytes are looked at by what they are; a schema of text would refuse them.
const AnyBytes = Type.Unsafe<Buffer>({});
const PhotoBody = { content: { "image/jpeg": { schema: AnyBytes }, "image/png": { schema: AnyBytes } } };

/**
 * A picture that somebody uploaded is shown, never run: the type that its bytes have, no guessing of another (WHATWG
 * MIME Sniffing), and a sandbox without script should a browser take it for a page all the same (CSP Level 3 §6.3.2).
 */
const SHOWN_ONLY = {
  "x-content-type-options": "nosniff",
  "content-disposition": "inline",
  "content-security-policy": "default-src 'none'; sandbox",
} as const;

/** The photograph of a camera's notice sign. */
export function addSignPhotoRoutes(app: App, records: DeviceRecordStore): void {
  app.get(
    path,
    {
      schema: {
        tags,
        summary: "The photograph of the camera's notice sign",
        params: IdParams,
        response: { 200: Photo, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      const { mediaType, image } = await getSignPhoto(records, params.id);
      return reply.headers(SHOWN_ONLY).type(mediaType).send(image);
    },
  );
  app.delete(
    path,
    {
      schema: {
        tags,
        summary: "Delete the photograph of the camera's notice sign",
        params: IdParams,
        response: { 204: NoContent, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      await deleteSignPhoto(records, params.id);
      return reply.code(204).send(null);
    },
  );
  // A scope of its own: bytes are taken as a body here and nowhere else.
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
    addUpload(scope.withTypeProvider<TypeBoxTypeProvider>() as App, records);
    done();
  });
}

function addUpload(app: App, records: DeviceRecordStore): void {
  app.put(
    path,
    {
      bodyLimit: MAX_SIGN_PHOTO_BYTES,
      schema: {
        tags,
        summary: "Keep a photograph of the camera's notice sign (JPEG or PNG, up to 2 MiB)",
        params: IdParams,
        body: PhotoBody,
        response: { 200: SignPhotoSchema, ...errorResponses },
      },
    },
    (request) =>
      putSignPhoto(records, {
        cameraId: request.params.id,
        image: request.body,
        by: sessionOf(request).user.userName,
      }),
  );
}
