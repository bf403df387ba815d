/**
 * Who should analyse which camera. Every worker asks this of the same shared facts and acts on its own part only: it
 * takes free cameras that fall to it and gives up cameras that others should have. Nobody commands; the database
 * decides races (adapters/postgres/camera-lease-store.ts).
 */

export interface WorkerLoad {
  readonly id: string;
  /** Its share, relative to the others. */
  readonly capacity: number;
  /** Sum of the weights of the cameras it holds. */
  readonly load: number;
  /** It was heard of a moment ago: it will take what is left for it. */
  readonly isFresh: boolean;
}

export interface LeasableCamera {
  readonly cameraId: string;
  readonly weight: number;
}

export interface LeaseSituation {
  readonly me: string;
  /** All that hold or may hold cameras; `me` is among them. */
  readonly workers: readonly WorkerLoad[];
  readonly mine: readonly LeasableCamera[];
  readonly free: readonly LeasableCamera[];
}

export interface LeaseLimits {
  /** How much fuller than the emptiest a worker may be before a camera moves for it: 0.1 is a tenth. */
  readonly hysteresis: number;
  /** Cameras that one worker gives up in one round. */
  readonly maxMoves: number;
}

export interface LeasePlan {
  /** Camera ids, of `free`. */
  readonly take: readonly string[];
  /** Camera ids, of `mine`. */
  readonly giveUp: readonly string[];
}

interface Slot {
  readonly id: string;
  readonly capacity: number;
  load: number;
}

/**
 * The next step of `me`. Free cameras go, heaviest first, to the fresh worker that is emptiest with it (longest
 * processing time first, Graham 1969). Nothing moves while cameras are free, nor for a difference within the hysteresis;
 * a giver keeps at least its fair share, so that several that give at once do not give too much.
 */
export function planLeases(situation: LeaseSituation, limits: LeaseLimits): LeasePlan {
  const slots = situation.workers
    .filter(({ id, isFresh }) => isFresh || id === situation.me)
    .map(({ id, capacity, load }): Slot => ({ id, capacity, load }));
  if (situation.free.length > 0) return { take: takings(situation, slots), giveUp: [] };
  return { take: [], giveUp: givings(situation, slots, limits) };
}

function takings({ free, me }: LeaseSituation, slots: readonly Slot[]): string[] {
  const take: string[] = [];
  for (const { cameraId, weight } of free.toSorted(heaviestFirst)) {
    const slot = emptiestWith(slots, weight);
    if (!slot) break;
    slot.load += weight;
    if (slot.id === me) take.push(cameraId);
  }
  return take;
}

function givings(
  { me, mine, workers }: LeaseSituation,
  slots: readonly Slot[],
  limits: LeaseLimits,
): string[] {
  const own = slots.find(({ id }) => id === me);
  const others = slots.filter(({ id }) => id !== me);
  if (!own || others.length === 0) return [];
  const fairShare =
    (sum(workers.map(({ load }) => load)) * own.capacity) / sum(workers.map(({ capacity }) => capacity));
  const giveUp: string[] = [];
  const candidates = mine.toSorted(heaviestFirst);
  const isFullest = others.every((other) => isFuller(own, other));
  while (giveUp.length < limits.maxMoves) {
    const surplus = own.load - fairShare;
    // Below its fair share plus one camera only the fullest may give, one at a time: the last step to an even load.
    const mayRound = isFullest && giveUp.length === 0;
    const at = candidates.findIndex(
      ({ weight }) => (weight <= surplus || mayRound) && isWorthIt(own, others, weight, limits),
    );
    const camera = candidates[at];
    if (!camera) break;
    candidates.splice(at, 1);
    const receiver = emptiestWith(others, camera.weight) as Slot;
    receiver.load += camera.weight;
    own.load -= camera.weight;
    giveUp.push(camera.cameraId);
    if (camera.weight > surplus) break;
  }
  return giveUp;
}

/** After the move the receiver is still emptier than the giver was, by more than the hysteresis. */
function isWorthIt(own: Slot, others: readonly Slot[], weight: number, { hysteresis }: LeaseLimits): boolean {
  const receiver = emptiestWith(others, weight);
  if (!receiver) return false;
  return (receiver.load + weight) / receiver.capacity < (own.load / own.capacity) * (1 - hysteresis);
}

function isFuller(one: Slot, other: Slot): boolean {
  const difference = one.load / one.capacity - other.load / other.capacity;
  return difference === 0 ? one.id < other.id : difference > 0;
}

function emptiestWith(slots: readonly Slot[], weight: number): Slot | undefined {
  let best: Slot | undefined;
  let bestFill = Infinity;
  for (const slot of slots) {
    const fill = (slot.load + weight) / slot.capacity;
    if (fill < bestFill || (fill === bestFill && best !== undefined && slot.id < best.id)) {
      best = slot;
      bestFill = fill;
    }
  }
  return best;
}

function heaviestFirst(a: LeasableCamera, b: LeasableCamera): number {
  return b.weight - a.weight || (a.cameraId < b.cameraId ? -1 : 1);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
