import { EdgeError } from "../faults.ts";

const MAX_LEVELS = 8;

/** Levels of a topic; `+` stands for any one (MQTT 3.1.1 §4.7.1.3). */
export type TopicFilter = readonly string[];

/** @throws EdgeError SENSOR_CONFIG_INVALID for `#`, a `+` within a level, `$` topics and more than 8 levels */
export function parseTopicFilter(text: string): TopicFilter {
  const levels = text.split("/");
  const isBad = levels.some((level) => level === "" || (/[+#\0]/.test(level) && level !== "+"));
  if (isBad || text.startsWith("$") || levels.length > MAX_LEVELS) {
    throw new EdgeError(
      "SENSOR_CONFIG_INVALID",
      `"${text}" is no topic of at most ${MAX_LEVELS} levels in which + stands for a whole one`,
    );
  }
  return levels;
}

interface Node<T> {
  readonly next: Map<string, Node<T>>;
  readonly here: T[];
}

/** Who listens to which topics. A look-up costs by the levels of the topic, not by the number of sensors. */
export class TopicTree<T> {
  readonly #root: Node<T> = { next: new Map(), here: [] };

  add(filter: TopicFilter, listener: T): void {
    let node = this.#root;
    for (const level of filter) {
      const child = node.next.get(level) ?? { next: new Map(), here: [] };
      node.next.set(level, child);
      node = child;
    }
    node.here.push(listener);
  }

  find(topic: string): T[] {
    let nodes = [this.#root];
    const levels = topic.split("/", MAX_LEVELS + 1);
    if (levels.length > MAX_LEVELS || topic.startsWith("$")) return [];
    for (const level of levels) {
      nodes = nodes.flatMap(({ next }) =>
        [next.get(level), next.get("+")].filter((child) => child !== undefined),
      );
      if (nodes.length === 0) return [];
    }
    return nodes.flatMap(({ here }) => here);
  }
}
