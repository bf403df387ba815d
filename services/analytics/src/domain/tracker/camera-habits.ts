import type { LivingTrack } from "./living-track.ts";
import type { Measurement } from "./measurement.ts";
import { PARAMETERS } from "./parameters.ts";

/**
 * What is typical of one camera: how sure its detector is of what it sees there, and how quickly things change their
 * course in its picture. A network's 0.7 may be as little worth as another one's 0.4, and a camera on a bus or one that
 * is asked once a second sees other speeds than one over a square at 25: so thresholds and new tracks start from what
 * the camera has shown so far, and one set of parameters fits all.
 */
export class CameraHabits {
  private median: number = PARAMETERS.typicalScoreFirst;
  private scored = 0;
  private logAgility = 0;

  /** Score that half of the detections reach; never less than what a detector must say at least. */
  get typicalScore(): number {
    return this.median;
  }

  /** How agile a new track is taken to be, as a factor on its class's. */
  get agility(): number {
    return Math.exp(this.logAgility);
  }

  /** Follows the median of the scores: each detection pulls it by the same step, the first ones by larger steps. */
  learnScores(detections: readonly Measurement[]): void {
    if (detections.length === 0) return;
    this.scored += detections.length;
    const step = Math.max(PARAMETERS.typicalScoreStep, PARAMETERS.typicalScoreFirstStep / this.scored);
    const above = detections.filter(({ detection }) => detection.score > this.median).length;
    const pull = step * (2 * above - detections.length);
    this.median = Math.min(1, Math.max(PARAMETERS.typicalScoreLeast, this.median + pull));
  }

  /** Follows the agility of the tracks that were seen in this frame and are old enough to have learnt their own. */
  learnAgility(tracks: readonly LivingTrack[]): void {
    for (const track of tracks) {
      if (!track.observed || track.observations <= 2) continue;
      this.logAgility += PARAMETERS.habitRate * (Math.log(track.agility) - this.logAgility);
    }
  }
}
