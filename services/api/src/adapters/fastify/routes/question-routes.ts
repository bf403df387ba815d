import {
  CameraStatePage,
  DetectionPage,
  DeviceEventPage,
  DeviceEventQuery,
  RecentQuery,
  SensorPatch,
  SensorStatePage,
  SensorStateSchema,
  SeriesQuery,
  SeriesSchema,
  StateQuery,
  TrackPage,
  TrackQuery,
} from "@huishi/contracts";
import { type DeviceEventStore, pageDeviceEvents } from "../../../application/device-events.ts";
import {
  changeSensor,
  type DeviceStateParts,
  pageCameraStates,
  pageSensorStates,
} from "../../../application/device-states.ts";
import {
  type PerceptionParts,
  recentDetections,
  recentTracks,
  searchTracks,
} from "../../../application/perception.ts";
import type { NameDirectory } from "../../../application/scope.ts";
import { readSeries, type SensorSeriesParts } from "../../../application/sensor-series.ts";
import type { ZoneStatisticsParts } from "../../../application/zone-statistics.ts";
import type { App } from "../app-type.ts";
import { DatastreamParams, errorResponses, IdParams } from "../schemas.ts";

export interface QuestionRouteParts {
  readonly perception: PerceptionParts;
  readonly statistics: ZoneStatisticsParts;
  readonly states: DeviceStateParts;
  readonly names: NameDirectory;
  readonly series: SensorSeriesParts;
  readonly events: DeviceEventStore;
}

/** What cameras saw: detections and tracks. */
export function addPerceptionRoutes(app: App, { perception }: QuestionRouteParts): void {
  const tags = ["perception"];
  app.get(
    "/api/v1/cameras/:id/detections",
    {
      schema: {
        tags,
        summary: "What a camera saw in the last minutes (at most 60), newest first",
        params: IdParams,
        querystring: RecentQuery,
        response: { 200: DetectionPage, ...errorResponses },
      },
    },
    ({ params, query }) => recentDetections(perception, params.id, query),
  );
  app.get(
    "/api/v1/cameras/:id/tracks",
    {
      schema: {
        tags,
        summary: "Tracks that a camera saw in the last minutes (at most 60), newest first",
        params: IdParams,
        querystring: RecentQuery,
        response: { 200: TrackPage, ...errorResponses },
      },
    },
    ({ params, query }) => recentTracks(perception, params.id, query),
  );
  app.get(
    "/api/v1/tracks",
    {
      schema: {
        tags,
        summary: "Search tracks by time (at most 31 days), class, camera, zone, counting line and direction",
        querystring: TrackQuery,
        response: { 200: TrackPage, ...errorResponses },
      },
    },
    ({ query }) => searchTracks(perception, query),
  );
}

/** What is last known of devices, what they said, and sensors' values over time. */
export function addDeviceRoutes(app: App, parts: QuestionRouteParts): void {
  addStateRoutes(app, parts);
  const tags = ["devices"];
  app.get(
    "/api/v1/sensors/:id/datastreams/:no/series",
    {
      schema: {
        tags,
        summary: "A sensor's values over time (at most 400 days), rolled up until they fit, with gaps marked",
        params: DatastreamParams,
        querystring: SeriesQuery,
        response: { 200: SeriesSchema, ...errorResponses },
      },
    },
    ({ params, query: { fromMs, toMs, points = 500 } }) =>
      readSeries(parts.series, { sensorId: params.id, no: params.no, range: { fromMs, toMs }, points }),
  );
  app.get(
    "/api/v1/devices/:id/events",
    {
      schema: {
        tags,
        summary: "What a camera, sensor or agent said (at most 62 days), newest first",
        params: IdParams,
        querystring: DeviceEventQuery,
        response: { 200: DeviceEventPage, ...errorResponses },
      },
    },
    ({ params, query: { fromMs, toMs, type, after = null, limit = 100 } }) =>
      pageDeviceEvents(parts.events, {
        subjectId: params.id,
        range: { fromMs, toMs },
        types: type ?? null,
        after,
        limit,
      }),
  );
}

function addStateRoutes(app: App, { states, names }: QuestionRouteParts): void {
  const tags = ["devices"];
  app.get(
    "/api/v1/camera-states",
    {
      schema: {
        tags,
        summary: "What is last known of every camera; `after` = `next` of the page before",
        querystring: StateQuery,
        response: { 200: CameraStatePage, ...errorResponses },
      },
    },
    ({ query }) => pageCameraStates(states, query),
  );
  app.get(
    "/api/v1/sensors",
    {
      schema: {
        tags,
        summary:
          "Every sensor with its datastreams and their last values; `after` = `next` of the page before",
        querystring: StateQuery,
        response: { 200: SensorStatePage, ...errorResponses },
      },
    },
    ({ query }) => pageSensorStates(states, query),
  );
  app.patch(
    "/api/v1/sensors/:id",
    {
      schema: {
        tags,
        summary: "Name a sensor, and say in which area it stands",
        params: IdParams,
        body: SensorPatch,
        response: { 200: SensorStateSchema, ...errorResponses },
      },
    },
    ({ params: { id }, body }) => changeSensor(states, names, { id, ...body }),
  );
}
