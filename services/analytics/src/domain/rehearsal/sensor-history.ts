import type { SensorReading, SensorReadings } from "../rules/sensor-readings.ts";

/** What sensors had said by a moment of the past: it is moved on with the frames, and knows nothing of what came later. */
export class SensorHistory implements SensorReadings {
  private waiting: SensorReading[] = [];
  private next = 0;
  private readonly last = new Map<string, SensorReading>();
  private nowMs = 0;

  /** Adds what was measured later than all before. @param readings in order of time */
  add(readings: readonly SensorReading[]): void {
    this.waiting = [...this.waiting.slice(this.next), ...readings];
    this.next = 0;
  }

  /** It is now `atMs`. */
  moveTo(atMs: number): void {
    this.nowMs = atMs;
    for (; this.next < this.waiting.length; this.next++) {
      const reading = this.waiting[this.next]!;
      if (reading.atMs > this.nowMs) return;
      this.last.set(reading.datastreamId, reading);
    }
  }

  latest(datastreamId: string): SensorReading | null {
    return this.last.get(datastreamId) ?? null;
  }
}
