/** Which camera stands where, kept outside of React: follows cameras, alarms and what somebody put by hand. */
import type { Priority } from "@huishi/contracts";
import type { WallPreferences } from "../preferences.ts";
import { createStore, isSameList, type ReadableStore, type Store } from "../store.ts";
import { openAlarms } from "./alarm-list.ts";
import type { Operations } from "./operations.ts";
import { arrangeTiles, assignTile, layoutFor, type Tiles } from "./tile-arrangement.ts";

export class WallTiles {
  readonly #operations: Pick<Operations, "cameras" | "alarms">;
  readonly #preferences: Store<WallPreferences>;
  readonly #tiles: Store<Tiles> = createStore<Tiles>([]);

  constructor(operations: Pick<Operations, "cameras" | "alarms">, preferences: Store<WallPreferences>) {
    this.#operations = operations;
    this.#preferences = preferences;
    for (const source of [operations.cameras, operations.alarms, preferences]) {
      source.subscribe(() => this.#arrange());
    }
    this.#arrange();
  }

  get tiles(): ReadableStore<Tiles> {
    return this.#tiles;
  }

  /** Puts a camera on a tile by hand; it stays there until somebody else decides. */
  readonly assign = (position: number, cameraId: string): void => {
    const { pinned } = this.#preferences.get();
    const next = assignTile(this.#tiles.get(), pinned, { position, cameraId });
    this.#tiles.set(next.tiles);
    this.#preferences.update((kept) => ({ ...kept, pinned: next.pinned }));
  };

  /** Lets a tile fill itself again. */
  readonly unpin = (position: number): void =>
    this.#preferences.update((kept) => ({
      ...kept,
      pinned: new Map([...kept.pinned].filter(([pin]) => pin !== position)),
    }));

  #arrange(): void {
    const { layout, pinned } = this.#preferences.get();
    const cameraIds = this.#operations.cameras.get().map((camera) => camera.id);
    const alarmed = new Map<string, Priority>();
    for (const [cameraId, { priority }] of openAlarms(this.#operations.alarms.get()))
      alarmed.set(cameraId, priority);
    const next = arrangeTiles({
      layout: layoutFor(layout, cameraIds.length),
      pinned,
      previous: this.#tiles.get(),
      cameraIds,
      alarmed,
    });
    if (!isSameList(next, this.#tiles.get())) this.#tiles.set(next);
  }
}
