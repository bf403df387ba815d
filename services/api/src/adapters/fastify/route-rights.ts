import type { Right } from "../../domain/rights.ts";

/**
 * What a route asks of whoever calls it. `public`: nothing. `signedIn`: any session. A right: a session whose
 * role has it. `loopbackOrAdminister`: the machine itself (scrapers), else the right.
 */
export type Requirement = "public" | "signedIn" | Right | "loopbackOrAdminister";

/**
 * Every route and what it requires: the one place where HTTP is authorised. A route that is missing here, or
 * an entry without a route, stops the server at its start.
 */
export const ROUTE_RIGHTS: Readonly<Record<string, Requirement>> = {
  "GET /livez": "public",
  "GET /readyz": "public",
  "GET /metrics": "loopbackOrAdminister",
  "GET /api/v1/openapi.json": "signedIn",

  "GET /api/v1/server": "public",
  "POST /api/v1/setup": "public",
  "POST /api/v1/sign-in": "public",
  "POST /api/v1/sign-out": "signedIn",
  "GET /api/v1/session": "signedIn",
  "GET /api/v1/socket": "view",

  "GET /api/v1/cameras": "view",
  "PATCH /api/v1/cameras/:id": "configure",
  "DELETE /api/v1/cameras/:id": "configure",
  "POST /api/v1/cameras/:id/ptz": "steer",
  "POST /api/v1/cameras/:id/imaging": "steer",
  "PUT /api/v1/cameras/:id/credential": "administer",
  "DELETE /api/v1/cameras/:id/credential": "administer",
  "GET /api/v1/cameras/:id/record": "view",
  "PUT /api/v1/cameras/:id/record": "configure",
  "GET /api/v1/cameras/:id/sign-photo": "view",
  "PUT /api/v1/cameras/:id/sign-photo": "configure",
  "DELETE /api/v1/cameras/:id/sign-photo": "configure",
  "GET /api/v1/device-records": "view",
  "GET /api/v1/device-records.csv": "view",
  "GET /api/v1/site-categories": "view",
  "GET /api/v1/cameras/:id/ground-plane": "view",
  "PUT /api/v1/cameras/:id/ground-plane": "configure",
  "DELETE /api/v1/cameras/:id/ground-plane": "configure",
  "PUT /api/v1/site-categories/:slug": "administer",
  "DELETE /api/v1/site-categories/:slug": "administer",
  "GET /api/v1/cameras/:id/zones": "view",
  "POST /api/v1/cameras/:id/zones": "configure",
  "PUT /api/v1/zones/:id": "configure",
  "DELETE /api/v1/zones/:id": "configure",
  "GET /api/v1/cameras/:id/rules": "view",
  "POST /api/v1/cameras/:id/rules": "configure",
  "PUT /api/v1/rules/:id": "configure",
  "DELETE /api/v1/rules/:id": "configure",
  "GET /api/v1/rules/:id/line-counts": "view",

  "POST /api/v1/rehearsals": "configure",
  "GET /api/v1/rehearsals": "configure",
  "GET /api/v1/rehearsals/:id": "configure",
  "DELETE /api/v1/rehearsals/:id": "configure",
  "POST /api/v1/rehearsals/clips": "configure",
  "GET /api/v1/rehearsals/clips/:id": "configure",
  "DELETE /api/v1/rehearsals/clips/:id": "configure",
  "PUT /api/v1/rehearsals/clips/:id/chunks/:no": "configure",

  "GET /api/v1/alarms": "view",
  "GET /api/v1/alarms/:id": "view",
  "GET /api/v1/alarms/:id/snapshot": "view",
  "GET /api/v1/alarms/:id/moves": "view",
  "POST /api/v1/alarms/:id/acknowledge": "moveAlarms",
  "POST /api/v1/alarms/:id/false-alarm": "moveAlarms",

  "GET /api/v1/cameras/:id/detections": "view",
  "GET /api/v1/cameras/:id/tracks": "view",
  "GET /api/v1/cameras/:id/heat-map": "view",
  "GET /api/v1/zones/:id/heat-map": "view",
  "GET /api/v1/tracks": "view",
  "GET /api/v1/statistics/counts": "view",
  "GET /api/v1/statistics/dwell": "view",
  "GET /api/v1/statistics/occupancy": "view",
  "GET /api/v1/statistics/flows": "view",
  "GET /api/v1/camera-states": "view",
  "GET /api/v1/analytics": "view",
  "GET /api/v1/sensors": "view",
  "PATCH /api/v1/sensors/:id": "configure",
  "GET /api/v1/sensors/:id/datastreams/:no/series": "view",
  "GET /api/v1/devices/:id/events": "view",

  "POST /api/v1/cameras/:id/clips": "view",
  "GET /api/v1/cameras/:id/clips": "view",
  "GET /api/v1/cameras/:id/recordings": "view",
  "GET /api/v1/clips/:id": "view",
  "GET /api/v1/clips/:id/media": "view",
  "GET /api/v1/clips/:id/manifest": "view",

  "POST /api/v1/cameras/:id/snapshot": "view",
  // Logs are for those who administer: AgentUploads asks for it once it knows the kind.
  "GET /api/v1/uploads/:id": "view",
  "GET /api/v1/uploads/:id/content": "view",

  "GET /api/v1/areas": "view",
  "PUT /api/v1/areas/:id": "configure",
  "DELETE /api/v1/areas/:id": "configure",

  "GET /api/v1/dead-letters": "administer",
  "POST /api/v1/dead-letters/:id/replay": "administer",
  "POST /api/v1/dead-letters/:id/dismiss": "administer",
  "POST /api/v1/dead-letters/:id/restore": "administer",
  "GET /api/v1/retention-policies": "administer",
  "PUT /api/v1/retention-policies/:dataset": "administer",
  "GET /api/v1/legal-holds": "administer",
  "POST /api/v1/legal-holds": "administer",
  "POST /api/v1/legal-holds/:id/release": "administer",
  "GET /api/v1/store": "administer",
  "GET /api/v1/agents": "administer",
  "GET /api/v1/agents/:id": "administer",
  "GET /api/v1/agents/:id/config": "administer",
  "PUT /api/v1/agents/:id/config": "administer",
  "POST /api/v1/agents/:id/revoke": "administer",
  "GET /api/v1/agents/:id/metrics": "administer",
  "POST /api/v1/agents/:id/logs": "administer",
  "POST /api/v1/agents/:id/rotate-secret": "administer",
  // The agent's own signature is the right.
  "POST /api/v1/agents/:id/secret": "public",
  // What a claim text pins; it is public by nature.
  "GET /api/v1/ca": "public",
  "GET /api/v1/found-devices": "administer",
  "POST /api/v1/agents/:id/scan": "administer",
  "POST /api/v1/agents/claim-codes": "administer",
  // The one-time code is the right.
  "POST /api/v1/agents/claim": "public",

  // The dashboard's own files.
  "GET /*": "public",
  "HEAD /*": "public",
};
