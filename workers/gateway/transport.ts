import type { Duplex } from 'node:stream';

/**
 * The bytes of one connection, whatever carries them: a TCP or TLS socket is one as it is. What a listener of `data` is handed
 * is valid until it returns.
 */
export interface Transport extends Duplex {
  /** Where the other end is; behind a proxy of ours, what that says. */
  readonly remoteAddress?: string | undefined;
  setNoDelay(noDelay: boolean): unknown;
  setKeepAlive(enable: boolean, initialDelayMs: number): unknown;
  /** Ends once everything written has left. */
  destroySoon(): void;
}
