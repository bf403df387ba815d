import type { Clock } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { QuestionRouteParts } from "./adapters/fastify/routes/question-routes.ts";
import type { RehearsalRouteParts } from "./adapters/fastify/routes/rehearsal-routes.ts";
import type { StoreRouteParts } from "./adapters/fastify/routes/store-routes.ts";
import { PostgresAnalyticsReport } from "./adapters/postgres/analytics-report.ts";
import { PostgresAreaStore } from "./adapters/postgres/area-store.ts";
import { PostgresDeadLetterStore } from "./adapters/postgres/dead-letter-store.ts";
import { PostgresDeviceEventStore } from "./adapters/postgres/device-event-store.ts";
import { PostgresDeviceRecordStore } from "./adapters/postgres/device-record-store.ts";
import { PostgresSiteCategoryStore } from "./adapters/postgres/site-category-store.ts";
import { PostgresDeviceStateStore } from "./adapters/postgres/device-state-store.ts";
import { PostgresNameDirectory } from "./adapters/postgres/name-directory.ts";
import { PostgresPerceptionStore } from "./adapters/postgres/perception-store.ts";
import { PostgresRehearsalClipStore } from "./adapters/postgres/rehearsal-clip-store.ts";
import { PostgresRehearsalJobs } from "./adapters/postgres/rehearsal-jobs.ts";
import { PostgresRetentionStore } from "./adapters/postgres/retention-store.ts";
import { PostgresSensorSeriesStore } from "./adapters/postgres/sensor-series-store.ts";
import { PostgresStatisticsStore } from "./adapters/postgres/statistics-store.ts";
import { PostgresStoreReport } from "./adapters/postgres/store-report.ts";
import { PostgresZoneStatisticsStore } from "./adapters/postgres/zone-statistics-store.ts";
import type { CameraStore } from "./application/cameras.ts";
import type { LookStore } from "./application/looks.ts";
import { RehearsalClips } from "./application/rehearsal-clips.ts";
import { type RuleCheck, Rehearsals } from "./application/rehearsals.ts";
import type { ZoneStore } from "./application/zones-and-rules.ts";

export interface PoolsAndParts {
  /** For configuration and moves. */
  readonly pool: Pool;
  /** For questions over series alone: heavy ones wait for each other, and nobody else for them. */
  readonly questions: Pool;
  readonly clock: Clock;
  readonly zones: ZoneStore;
}

/** The stores that questions over the series are asked of. */
export function questionParts({ pool, questions, clock, zones }: PoolsAndParts): QuestionRouteParts {
  const names = new PostgresNameDirectory(questions);
  return {
    perception: { store: new PostgresPerceptionStore(questions), names, clock },
    statistics: {
      store: new PostgresStatisticsStore(questions),
      zoneStatistics: new PostgresZoneStatisticsStore(questions),
      names,
      zones,
    },
    states: { store: new PostgresDeviceStateStore(questions, pool), clock },
    names,
    series: { store: new PostgresSensorSeriesStore(questions), clock },
    events: new PostgresDeviceEventStore(questions),
  };
}

/** The stores behind the operation of the store itself. */
export function storeParts({ pool, questions }: PoolsAndParts): StoreRouteParts {
  return {
    deadLetters: new PostgresDeadLetterStore(pool),
    retention: { store: new PostgresRetentionStore(pool), names: new PostgresNameDirectory(pool) },
    areas: new PostgresAreaStore(pool),
    deviceRecords: new PostgresDeviceRecordStore(pool),
    siteCategories: new PostgresSiteCategoryStore(pool),
    report: new PostgresStoreReport(questions),
    analytics: new PostgresAnalyticsReport(pool),
  };
}

/** Rehearsals and the clips that are uploaded for them. */
export function rehearsalParts(parts: {
  readonly pool: Pool;
  readonly cameras: CameraStore;
  readonly looks: LookStore;
  readonly clock: Clock;
  readonly rules: RuleCheck;
}): RehearsalRouteParts {
  const { pool, cameras, looks, clock, rules } = parts;
  const clips = new RehearsalClips({ store: new PostgresRehearsalClipStore(pool), cameras });
  return {
    clips,
    rehearsals: new Rehearsals({
      jobs: new PostgresRehearsalJobs(pool),
      clips,
      cameras,
      looks,
      clock,
      rules,
    }),
  };
}
