import type { ReactNode } from 'react';
import { Elapsed, RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { duration } from '../../ui/time.ts';
import type { DeviceDetail } from './device-detail.ts';
import { connectivity, credentialState, freshness, type Look } from './presence.ts';

/** Presence on its three axes: is it connected, does it send, may it send. */
export function PresenceStrip({ device }: { device: DeviceDetail }) {
  const { presence, credentials } = device;
  const live = credentials.filter((credential) => !credential.revokedAt).length;
  return (
    <dl className="mt-4 grid overflow-hidden rounded-lg border border-line bg-surface shadow-1 max-sm:divide-y max-sm:divide-line sm:grid-cols-3 sm:divide-x sm:divide-line">
      <Axis name="Connection" look={connectivity[presence.connection]}>
        {presence.connectionChangedAt ? (
          <>
            for <Elapsed since={presence.connectionChangedAt} />
          </>
        ) : (
          'never connected'
        )}
      </Axis>
      <Axis name="Freshness" look={freshness[presence.freshness]}>
        last seen <RelativeTime at={presence.lastSeenAt} />
        <span className="max-lg:hidden">
          , expected every {duration(device.expectedIntervalSeconds * 1_000)}
        </span>
        {presence.missingMetrics.length > 0 && (
          <span className="block text-warn" title="Its template requires them, and they do not come">
            without {presence.missingMetrics.join(', ')}
          </span>
        )}
      </Axis>
      <Axis name="Credential" look={credentialState[presence.credential]}>
        {live === 0 ? 'none in force' : `${live} in force`}
      </Axis>
    </dl>
  );
}

function Axis({ name, look, children }: { name: string; look: Look; children: ReactNode }) {
  return (
    <div className="flex items-center gap-3 px-3.5 py-2 sm:block sm:py-2.5" title={look.meaning}>
      <dt className="w-20 text-ink-3 text-xs sm:w-auto">{name}</dt>
      <dd className="flex min-w-0 flex-wrap items-baseline gap-x-2 sm:mt-0.5">
        <StatusBadge shape={look.shape} tone={look.tone} label={look.label} className="font-semibold" />
        <span className="text-ink-3 text-sm">{children}</span>
      </dd>
    </div>
  );
}
