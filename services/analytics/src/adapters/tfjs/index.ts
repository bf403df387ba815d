export { TfjsDetector } from "./tfjs-detector.ts";
