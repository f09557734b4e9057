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
    return [...this.#granted.values()].map(({ filter, qos, identifier }) => {
      return { filter, qos, ...(identifier !== undefined && { identifier }) };
    });
  }

  /** The granted QoS (2 is granted as 1), or a reason code of at least 0x80. */
  add(filter: string, qos: number, identifier?: number): number {
    if (filter.startsWith('$share/')) return REASON.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
    if (!isTopicFilter(filter)) return REASON.TOPIC_FILTER_INVALID;
    const topics = downlinkTopicsUnder(filter, this.#tenant, this.#device);
    if (topics.length === 0) return REASON.NOT_AUTHORIZED;
    if (!this.#granted.has(filter) && this.#granted.size >= MAX_FILTERS) return REASON.QUOTA_EXCEEDED;
    const granted = qos === 0 ? 0 : 1;
    this.#changes += 1;
    this.#granted.set(filter, { filter, qos: granted, identifier, topics });
    return granted;
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
  grantFor(leaf: DownlinkLeaf): { readonly topic: DownlinkTopic; readonly qos: 0 | 1 } | undefined {
    let grant: { readonly topic: DownlinkTopic; readonly qos: 0 | 1 } | undefined;
    for (const { qos, topics } of this.#granted.values()) {
      const topic = topics.find((each) => each.leaf === leaf);
      if (!topic) continue;
      if (!grant || isBetter(topic, qos, grant)) grant = { topic, qos };
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

function isBetter(
  topic: DownlinkTopic,
  qos: 0 | 1,
  than: { readonly topic: DownlinkTopic; readonly qos: 0 | 1 },
): boolean {
  if (topic.dialect !== than.topic.dialect) return topic.dialect === 'canonical';
  return qos > than.qos;
}
