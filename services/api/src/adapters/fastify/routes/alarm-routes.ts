import {
  type Alarm,
  type AlarmMove,
  AlarmMoveList,
  AlarmMoveRequest,
  AlarmPage,
  AlarmQuery,
  AlarmSchema,
} from "@huishi/contracts";
import { Type } from "typebox";
import {
  type AlarmStore,
  getAlarm,
  getSnapshot,
  moveAlarm,
  pageAlarms,
} from "../../../application/alarms.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, RowIdParams } from "../schemas.ts";

const Jpeg = {
  content: { "image/jpeg": { schema: Type.Unsafe<Buffer>({ type: "string", format: "binary" }) } },
};

/** Alarms: list, read, snapshot, moves. */
export function addAlarmRoutes(app: App, alarms: AlarmStore): void {
  const tags = ["alarms"];
  app.get(
    "/api/v1/alarms",
    {
      schema: {
        tags,
        summary: "Alarms, newest first; go on with `before` = `next` of the page before",
        querystring: AlarmQuery,
        response: { 200: AlarmPage, ...errorResponses },
      },
    },
    ({ query }) => pageAlarms(alarms, query),
  );
  app.get(
    "/api/v1/alarms/:id",
    {
      schema: {
        tags,
        summary: "One alarm",
        params: RowIdParams,
        response: { 200: AlarmSchema, ...errorResponses },
      },
    },
    ({ params }) => getAlarm(alarms, params.id),
  );
  app.get(
    "/api/v1/alarms/:id/snapshot",
    {
      schema: {
        tags,
        summary: "The deciding frame as it was seen, without boxes",
        params: RowIdParams,
        response: { 200: Jpeg, ...errorResponses },
      },
    },
    async ({ params }, reply) => {
      const jpeg = await getSnapshot(alarms, params.id);
      // A snapshot never changes once written; `private` keeps it out of shared caches.
      void reply.header("cache-control", "private, max-age=86400, immutable").type("image/jpeg");
      return reply.send(jpeg);
    },
  );
  app.get(
    "/api/v1/alarms/:id/moves",
    {
      schema: {
        tags,
        summary: "What people did with the alarm, oldest first",
        params: RowIdParams,
        response: { 200: AlarmMoveList, ...errorResponses },
      },
    },
    async ({ params }) => {
      await getAlarm(alarms, params.id);
      return { moves: await alarms.listMoves(params.id) };
    },
  );
  addMove(app, alarms, { path: "acknowledge", move: "acknowledge", summary: "I take care of it" });
  addMove(app, alarms, { path: "false-alarm", move: "falseAlarm", summary: "Nothing was there" });
}

function addMove(
  app: App,
  alarms: AlarmStore,
  route: { path: string; move: AlarmMove; summary: string },
): void {
  app.post(
    `/api/v1/alarms/:id/${route.path}`,
    {
      schema: {
        tags: ["alarms"],
        summary: route.summary,
        params: RowIdParams,
        body: AlarmMoveRequest,
        response: { 200: AlarmSchema, ...errorResponses },
      },
      // One key on the wall: a move without an opinion needs no body.
      preValidation: (request, _reply, done) => {
        request.body ??= {};
        done();
      },
    },
    async (request): Promise<Alarm> =>
      moveAlarm(alarms, route.move, {
        id: request.params.id,
        actor: sessionOf(request).user.userName,
        opinion: request.body.opinion ?? null,
      }),
  );
}
