import {
  type DownlinkLeaf,
  type DownlinkTopic,
  downlinkTopicsUnder,
  isTopicFilter,
} from '#core/mqtt/topics.ts';
import { REASON } from './protocol/reason.ts';

/** One filter that a device is subscribed with. */
export interface DownlinkFilter {
  readonly filter: string;
  readonly qos: 0 | 1;
  /** What the device is told with each message that it got for this filter. */
  readonly identifier?: number | undefined;
  /** Messages that are retained are to say so even when they are new. */
  readonly asPublished?: boolean | undefined;
}

/** Where a device hears a leaf, and how. */
export interface Grant {
  readonly topic: DownlinkTopic;
  readonly qos: 0 | 1;
  readonly asPublished: boolean;
}

interface Granted extends DownlinkFilter {
  readonly topics: readonly DownlinkTopic[];
}

const MAX_FILTERS = 32;

/** What a device is subscribed to. */
export class DownlinkFilters {
  readonly #tenant: string;
  readonly #device: string;
  readonly #granted = new Map<string, Granted>();
  #changes = 0;

  constructor(tenant: string, device: string) {
    this.#tenant = tenant;
    this.#device = device;
  }

  /** Counts what would be written down differently. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#granted.size;
  }

  all(): DownlinkFilter[] {
    return [...this.#granted.values()].map(({ filter, qos, identifier, asPublished }) => {
      return {
        ...{ filter, qos },
        ...(identifier !== undefined && { identifier }),
        ...(asPublished && { asPublished }),
      };
    });
  }

  /** The granted QoS (2 is granted as 1), or a reason code of at least 0x80. */
  add(filter: string, qos: number, identifier?: number, asPublished = false): number {
    if (filter.startsWith('$share/')) return REASON.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
    if (!isTopicFilter(filter)) return REASON.TOPIC_FILTER_INVALID;
    const topics = downlinkTopicsUnder(filter, this.#tenant, this.#device);
    if (topics.length === 0) return REASON.NOT_AUTHORIZED;
    if (!this.#granted.has(filter) && this.#granted.size >= MAX_FILTERS) return REASON.QUOTA_EXCEEDED;
    const granted = qos === 0 ? 0 : 1;
    this.#changes += 1;
    this.#granted.set(filter, { filter, qos: granted, identifier, asPublished, topics });
    return granted;
  }

  has(filter: string): boolean {
    return this.#granted.has(filter);
  }

  /** Whether a leaf is heard through this very filter. */
  covers(filter: string, leaf: DownlinkLeaf): boolean {
    return this.#granted.get(filter)?.topics.some((each) => each.leaf === leaf) ?? false;
  }

  /** Whether it was there. */
  remove(filter: string): boolean {
    this.#changes += 1;
    return this.#granted.delete(filter);
  }

  /**
   * Where a device hears a leaf, and the best QoS it was granted there; undefined when no filter covers it. A device that
   * listens in two spellings is told in the canonical one.
   */
  grantFor(leaf: DownlinkLeaf): Grant | undefined {
    let grant: Grant | undefined;
    for (const { qos, topics, asPublished = false } of this.#granted.values()) {
      const topic = topics.find((each) => each.leaf === leaf);
      if (!topic) continue;
      if (!grant || isBetter(topic, qos, grant)) grant = { topic, qos, asPublished };
    }
    return grant;
  }

  /** The identifiers of every filter that covers a topic. */
  identifiersOf({ topic }: DownlinkTopic): number[] {
    return [...this.#granted.values()].flatMap(({ topics, identifier }) =>
      identifier !== undefined && topics.some((each) => each.topic === topic) ? [identifier] : [],
    );
  }
}

function isBetter(topic: DownlinkTopic, qos: 0 | 1, than: Grant): boolean {
  if (topic.dialect !== than.topic.dialect) return topic.dialect === 'canonical';
  return qos > than.qos;
}
