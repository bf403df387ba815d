export { decodeDetr } from "./detr.ts";
export { decodeNanodet, nanodetLevels } from "./nanodet.ts";
export { type ClassColumns, classColumns, mismatch, type ModelOutput } from "./rows.ts";
export { decodeSsd } from "./ssd.ts";
export { ssdAnchors } from "./ssd-anchors.ts";
export { decodeYolox } from "./yolox.ts";
