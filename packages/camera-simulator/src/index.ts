export { CameraSimulator } from "./camera-simulator.ts";
export { type SimulatorErrorCode, SimulatorError } from "./errors.ts";
export type {
  CameraFaults,
  ReplacementPictures,
  ServerFaults,
  StreamFaults,
  StreamName,
} from "./faults/types.ts";
export { clockBarcodeHeight, readClockBarcode } from "./source/clock-barcode.ts";
export type {
  CameraOptions,
  CameraStatistics,
  PtzCommand,
  SimulatedCamera,
  SimulatorOptions,
  SourceOptions,
} from "./types.ts";
