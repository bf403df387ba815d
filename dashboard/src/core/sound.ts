/** The sound of a new P1 or P2: two short tones, made here, no file. */
import type { Alarm } from "@huishi/contracts";

/** In a flood one sound says it; more would be noise (EEMUA 191). */
const QUIET_AFTER_MS = 2_000;
const TONES: Readonly<Record<string, readonly number[]>> = { P1: [988, 988, 1319], P2: [784, 988] };

export class AlarmSound {
  #context: AudioContext | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;

  /** Sounds once for the most urgent of these alarms, if any is P1 or P2. */
  play(alarms: readonly Alarm[]): void {
    const priority = (["P1", "P2"] as const).find((wanted) =>
      alarms.some((alarm) => alarm.priority === wanted),
    );
    if (!priority || performance.now() - this.#lastMs < QUIET_AFTER_MS) return;
    this.#lastMs = performance.now();
    try {
      this.#context ??= new AudioContext();
      void this.#context.resume().catch(() => undefined);
      TONES[priority]?.forEach((frequency, index) =>
        tone(this.#context as AudioContext, frequency, index * 0.18),
      );
    } catch {
      // No sound device: the wall shows it anyway.
    }
  }
}

function tone(context: AudioContext, frequency: number, afterS: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  const startS = context.currentTime + afterS;
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0.0001, startS);
  gain.gain.exponentialRampToValueAtTime(0.2, startS + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, startS + 0.15);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(startS);
  oscillator.stop(startS + 0.16);
}
