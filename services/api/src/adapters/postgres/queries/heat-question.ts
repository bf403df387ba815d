import type { HeatAsked } from "../../../application/statistics.ts";
import { codesOf } from "../class-codes.ts";
import { all, type Question, Values } from "./question.ts";

export function heatQuestion(asked: HeatAsked): Question {
  const values = new Values();
  const range = [asked.range.fromMs, asked.range.toMs].map(
    (ms) => `${values.add(new Date(ms))}::timestamptz`,
  );
  const where = all(
    `camera_no = ${values.add(asked.cameraNo)}`,
    asked.classes === null ? null : `class_code = ANY(${values.add(codesOf(asked.classes))}::smallint[])`,
    asked.cells === null ? null : `cell = ANY(${values.add(asked.cells)}::smallint[])`,
  );
  const text = `SELECT cell, ${asked.byClass ? "class_code" : "0"} AS class_code, sum(detections)::float8 AS detections
    FROM huishi_store.heat_hour(${range.join(", ")}) AS rolled WHERE ${where} GROUP BY 1, 2 ORDER BY 1, 2`;
  return { text, values: values.list };
}
