import type { ServerResponse } from 'node:http';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Presented, Viewer } from '#core/auth/viewer.ts';
import type { CredentialWatch } from './credential-watch.ts';

/** How long an event stream may go on that began after its credential had ended, in ms. */
const LOOK_EVERY_MS = 250;

/**
 * Watches the credential of a request until its answer is complete or its caller has gone. An event stream ends with the
 * credential; whatever else is being answered may finish.
 * @returns aborted with an AuthenticationError when the credential has ended: what has not begun by then must not begin
 */
export function holdRequest(
  watch: CredentialWatch,
  viewer: Viewer,
  presented: Presented,
  response: ServerResponse,
): AbortSignal {
  const ended = new AbortController();
  if (response.destroyed) return ended.signal;
  let looking: NodeJS.Timeout | undefined;
  const cut = () => {
    if (isEventStream(response)) response.destroy();
  };
  const held = watch.hold(viewer, presented, (reason) => {
    ended.abort(new AuthenticationError('revoked', reason));
    // What is at work may be about to become a stream.
    looking = setInterval(cut, LOOK_EVERY_MS);
    cut();
  });
  response.once('close', () => {
    held.stop();
    clearInterval(looking);
  });
  return ended.signal;
}

const isEventStream = (response: ServerResponse): boolean =>
  String(response.getHeader('content-type')).startsWith('text/event-stream');
