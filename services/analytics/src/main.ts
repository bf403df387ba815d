import { HuishiError } from "@huishi/kernel";

/**
 * Analytics by itself. It lives on the media that ingest takes in, and this version knows a media bus within one
 * process only (contracts/media-bus.ts): so it says what to do, instead of running without ever seeing a picture.
 */
const error = new HuishiError(
  "MEDIA_BUS_IN_PROCESS_ONLY",
  "analytics needs the media bus of ingest, which does not cross processes yet: start both in one (npm start)",
);
process.stderr.write(`${error.code}: ${error.message}\n`);
process.exit(1);
