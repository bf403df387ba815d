export { type SimulatorErrorCode, SimulatorError } from "./errors.ts";
export type {
  CameraOptions,
  CameraStatistics,
  PtzCommand,
  SimulatedCamera,
  SimulatorOptions,
  SourceOptions,
} from "./types.ts";
