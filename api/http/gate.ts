import type { IncomingMessage } from 'node:http';
import type { SignIns } from '#api/sign-ins.ts';
import { AuthenticationError } from '#core/auth/authentication-error.ts';
import type { Authenticator, Presented, Viewer } from '#core/auth/viewer.ts';
import { clientAddress } from '#core/runtime/client-address.ts';
import type { Logger } from '#core/runtime/logger.ts';
import type { Metrics } from '#core/runtime/metrics.ts';

/** Where everybody comes in, over HTTP or a socket. */
export interface Gate {
  /** As `Authenticator.authenticate`; whoever comes in is written down, whoever is refused is counted and logged. */
  admit(presented: Presented): Promise<Viewer>;
}

/** What an HTTP request presents; `x-fleetgraph-tenant` names the tenant somebody means who belongs to several. */
export function presentedBy(request: IncomingMessage, requestId: string, trustedProxies: number): Presented {
  const tenant = request.headers['x-fleetgraph-tenant'];
  return {
    authorization: request.headers.authorization,
    tenant: typeof tenant === 'string' ? tenant : undefined,
    address: clientAddress(request, trustedProxies),
    requestId,
  };
}

export function createGate(deps: {
  readonly authenticator: Authenticator;
  readonly signIns: SignIns;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Gate {
  const refusals = createRefusals(deps.metrics, deps.log);
  return {
    async admit(presented) {
      try {
        const viewer = await deps.authenticator.authenticate(presented);
        await deps.signIns.note(viewer, presented);
        return viewer;
      } catch (error) {
        if (error instanceof AuthenticationError) refusals(error, presented);
        throw error;
      }
    },
  };
}

const QUIET_MS = 60_000;
const MAX_REMEMBERED = 1_000;

/** Counts every refusal; logs the first of an address and reason each minute, with how many were left out before. */
function createRefusals(
  metrics: Metrics,
  log: Logger,
): (error: AuthenticationError, presented: Presented) => void {
  const refused = metrics.counter(
    'refused_sign_ins_total',
    'Credentials that were refused; a rise of invalid ones may be somebody trying',
    ['reason'],
  );
  const quiet = new Map<string, { readonly until: number; leftOut: number }>();
  return ({ reason, message }, { address, requestId }) => {
    refused.inc({ reason });
    // Without a credential nobody has tried anything.
    if (reason === 'missing') return;
    const key = `${reason} ${address}`;
    const known = quiet.get(key);
    if (known && known.until > Date.now()) {
      known.leftOut += 1;
      return;
    }
    quiet.delete(key);
    if (quiet.size >= MAX_REMEMBERED) quiet.delete(quiet.keys().next().value ?? '');
    quiet.set(key, { until: Date.now() + QUIET_MS, leftOut: 0 });
    log.warn({ reason, address, requestId, leftOut: known?.leftOut ?? 0 }, `sign-in refused: ${message}`);
  };
}
