import {
  DatasetParams,
  DeadLetterPage,
  DeadLetterQuery,
  DeadLetterSchema,
  LegalHoldCreate,
  LegalHoldPage,
  LegalHoldQuery,
  LegalHoldRelease,
  LegalHoldSchema,
  RetentionPolicyList,
  RetentionPolicySchema,
  RetentionPolicyUpdate,
  StoreSchema,
} from "@huishi/contracts";
import type { AnalyticsReport } from "../../../application/analytics-report.ts";
import type { AreaStore } from "../../../application/areas.ts";
import type { DeviceRecordStore } from "../../../application/device-records.ts";
import type { SiteCategoryStore } from "../../../application/site-categories.ts";
import {
  type DeadLetterMove,
  type DeadLetterStore,
  moveDeadLetter,
  pageDeadLetters,
} from "../../../application/dead-letters.ts";
import {
  changePolicy,
  pageHolds,
  placeHold,
  releaseHold,
  type RetentionStore,
} from "../../../application/retention.ts";
import type { NameDirectory } from "../../../application/scope.ts";
import type { StoreReport } from "../../../application/store-report.ts";
import type { App } from "../app-type.ts";
import { sessionOf } from "../authorise.ts";
import { errorResponses, RowIdParams } from "../schemas.ts";

export interface StoreRouteParts {
  readonly deadLetters: DeadLetterStore;
  readonly retention: { readonly store: RetentionStore; readonly names: NameDirectory };
  readonly areas: AreaStore;
  readonly deviceRecords: DeviceRecordStore;
  readonly siteCategories: SiteCategoryStore;
  readonly report: StoreReport;
  readonly analytics: AnalyticsReport;
}

/** What could not be taken, and its replay: ingest does that itself when it hears of the request. */
export function addDeadLetterRoutes(app: App, deadLetters: DeadLetterStore): void {
  app.get(
    "/api/v1/dead-letters",
    {
      schema: {
        tags: ["store"],
        summary: "Messages that could not be taken, newest first",
        querystring: DeadLetterQuery,
        response: { 200: DeadLetterPage, ...errorResponses },
      },
    },
    ({ query }) => pageDeadLetters(deadLetters, query),
  );
  addLetterMove(app, deadLetters, { move: "replay", summary: "Ask ingest to take the message again" });
  addLetterMove(app, deadLetters, { move: "dismiss", summary: "Nothing more is to be done with it" });
  addLetterMove(app, deadLetters, { move: "restore", summary: "Take a dismissal back" });
}

function addLetterMove(
  app: App,
  deadLetters: DeadLetterStore,
  { move, summary }: { move: DeadLetterMove; summary: string },
): void {
  app.post(
    `/api/v1/dead-letters/:id/${move}`,
    {
      schema: {
        tags: ["store"],
        summary,
        params: RowIdParams,
        response: { 200: DeadLetterSchema, ...errorResponses },
      },
    },
    (request) =>
      moveDeadLetter(deadLetters, move, {
        id: request.params.id,
        actor: sessionOf(request).user.userName,
      }),
  );
}

/** How long data is kept and what must stay; how much there is. */
export function addRetentionRoutes(app: App, { retention, report }: StoreRouteParts): void {
  const tags = ["store"];
  app.get(
    "/api/v1/retention-policies",
    {
      schema: {
        tags,
        summary: "How long each dataset is kept, and why",
        response: { 200: RetentionPolicyList, ...errorResponses },
      },
    },
    async () => ({ policies: await retention.store.listPolicies() }),
  );
  app.put(
    "/api/v1/retention-policies/:dataset",
    {
      schema: {
        tags,
        summary: "Change a policy; names the version it was made from",
        params: DatasetParams,
        body: RetentionPolicyUpdate,
        response: { 200: RetentionPolicySchema, ...errorResponses },
      },
    },
    (request) =>
      changePolicy(retention.store, {
        ...request.body,
        dataset: request.params.dataset,
        actor: sessionOf(request).user.userName,
      }),
  );
  app.get(
    "/api/v1/store",
    {
      schema: {
        tags,
        summary: "How the store was made and how much lies in it",
        response: { 200: StoreSchema, ...errorResponses },
      },
    },
    () => report.readStore(),
  );
}

/** Legal holds: what must stay whatever a policy says. */
export function addLegalHoldRoutes(app: App, { retention }: StoreRouteParts): void {
  const tags = ["store"];
  app.get(
    "/api/v1/legal-holds",
    {
      schema: {
        tags,
        summary: "Legal holds, newest first",
        querystring: LegalHoldQuery,
        response: { 200: LegalHoldPage, ...errorResponses },
      },
    },
    ({ query }) => pageHolds(retention.store, query),
  );
  app.post(
    "/api/v1/legal-holds",
    {
      schema: {
        tags,
        summary: "Keep rows of a time, whatever policies say",
        body: LegalHoldCreate,
        response: { 201: LegalHoldSchema, ...errorResponses },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await placeHold(retention, request.body, sessionOf(request).user.userName)),
  );
  app.post(
    "/api/v1/legal-holds/:id/release",
    {
      schema: {
        tags,
        summary: "Release a hold, and say why",
        params: RowIdParams,
        body: LegalHoldRelease,
        response: { 200: LegalHoldSchema, ...errorResponses },
      },
    },
    (request) =>
      releaseHold(retention.store, {
        id: request.params.id,
        reason: request.body.reason,
        actor: sessionOf(request).user.userName,
      }),
  );
}
