export { type Ingest, type IngestOptions, startIngest } from "./compose.ts";
