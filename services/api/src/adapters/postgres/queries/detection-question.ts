import type { DetectionsAsked } from "../../../application/perception.ts";
import { all, isoOfMicros, microsOf, millisOf, type Question, Values } from "./question.ts";

/** Detections of one camera, newest first. WITH TIES: a page never ends within a frame. */
export function detectionQuestion(asked: DetectionsAsked): Question {
  const values = new Values();
  const where = all(
    `camera_no = ${values.add(asked.cameraNo)}`,
    `captured_at >= ${values.add(new Date(asked.range.fromMs))}`,
    asked.beforeMicros === null
      ? `captured_at < ${values.add(new Date(asked.range.toMs))}`
      : `captured_at < ${values.add(isoOfMicros(asked.beforeMicros))}::timestamptz`,
  );
  const text = `
    SELECT ${microsOf("captured_at")} AS micros, ${millisOf("captured_at")} AS captured_ms,
           track_id, class_code, score, x, y, w, h
    FROM detection WHERE ${where}
    ORDER BY captured_at DESC FETCH FIRST (${values.add(asked.limit)}) ROWS WITH TIES`;
  return { text, values: values.list };
}
