import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import type { AnyVariables, Client, CombinedError, RequestPolicy } from 'urql';

/** One page of a keyset connection, as a query's result contains it. */
export type Page<Node> = {
  readonly nodes: readonly Node[];
  readonly hasNextPage: boolean;
  readonly endCursor: string | null | undefined;
  readonly totalCount?: number | undefined;
};

export type PagerState<Node> = {
  readonly nodes: readonly Node[];
  readonly totalCount: number | undefined;
  readonly hasMore: boolean;
  /** `first`: nothing to show yet. `more`: a further page is on its way. */
  readonly loading: 'first' | 'more' | false;
  readonly error: CombinedError | undefined;
};

export type Pager<Node> = {
  subscribe(listener: () => void): () => void;
  getState(): PagerState<Node>;
  loadMore(): void;
  /** Fetches the first page again and drops the others. */
  reload(): void;
};

/** Changes to what is already shown are told at most this often: they come from live streams, and people read them. */
const tellEveryMs = 200;

type Slot<Node> = { page: Page<Node> | undefined; error: CombinedError | undefined; stop(): void };

/**
 * Walks a keyset connection page by page. Each page stays subscribed to the cache, so one changed device re-reads one
 * page, not the whole list. Nothing is fetched before the first subscriber; the last one leaving stops everything.
 */
export function createPager<Result, Variables extends AnyVariables, Node>(options: {
  client: Client;
  document: TypedDocumentNode<Result, Variables>;
  variables: (after: string | null) => Variables;
  read: (result: Result) => Page<Node> | null | undefined;
}): Pager<Node> {
  const listeners = new Set<() => void>();
  const slots: Slot<Node>[] = [];
  let state: PagerState<Node> = {
    nodes: [],
    totalCount: undefined,
    hasMore: false,
    loading: 'first',
    error: undefined,
  };

  let tellTimer: ReturnType<typeof setTimeout> | undefined;

  const publish = () => {
    clearTimeout(tellTimer);
    tellTimer = undefined;
    const pages = slots.flatMap((slot) => (slot.page ? [slot.page] : []));
    const last = slots.at(-1);
    const waiting = last !== undefined && !last.page && !last.error;
    state = {
      nodes: pages.flatMap((page) => page.nodes),
      totalCount: pages[0]?.totalCount,
      hasMore: last?.page?.hasNextPage ?? false,
      loading: waiting ? (slots.length === 1 ? 'first' : 'more') : false,
      error: last?.error,
    };
    for (const listener of listeners) listener();
  };

  const open = (after: string | null, requestPolicy: RequestPolicy) => {
    const index = slots.length;
    const slot: Slot<Node> = { page: undefined, error: undefined, stop: () => undefined };
    slots.push(slot);
    const source = options.client.query(options.document, options.variables(after), { requestPolicy });
    const { unsubscribe } = source.subscribe((result) => {
      const page = result.data ? options.read(result.data) : undefined;
      slot.error = result.error;
      if (page) {
        const before = slot.page;
        slot.page = page;
        slot.error = undefined;
        if (before && before.endCursor !== page.endCursor) truncate(index + 1);
        else if (before) {
          tellTimer ??= setTimeout(publish, tellEveryMs);
          return;
        }
      }
      publish();
    });
    slot.stop = unsubscribe;
  };
  const truncate = (length: number) => {
    for (const slot of slots.splice(length)) slot.stop();
  };
  const reload = () => {
    truncate(0);
    open(null, 'network-only');
    publish();
  };

  return {
    subscribe(listener) {
      listeners.add(listener);
      if (slots.length === 0) {
        open(null, 'cache-and-network');
        publish();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearTimeout(tellTimer);
        tellTimer = undefined;
        truncate(0);
      };
    },
    getState: () => state,
    loadMore() {
      const last = slots.at(-1);
      if (last?.error && slots.length > 1) truncate(slots.length - 1);
      const end = slots.at(-1)?.page;
      if (!end?.hasNextPage || !end.endCursor) return;
      open(end.endCursor, 'cache-first');
      publish();
    },
    reload,
  };
}
