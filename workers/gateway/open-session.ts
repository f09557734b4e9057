import type { Admission } from './admission.ts';
import type { CloseReason } from './close-reason.ts';
import type { ConnectionContext } from './connection-context.ts';
import { readKeptState } from './kept-state.ts';
import { REASON } from './protocol/reason.ts';
import { Rejection } from './rejection.ts';
import { announceConnected, announceReceived } from './session-events.ts';
import { createSessionState, type SessionState } from './session-state.ts';
import type { Held } from './sessions.ts';
import type { Throttle } from './throttle.ts';
import { UplinkLane } from './uplink-lane.ts';

/** A device that was let in, on its connection. */
export interface OpenSession {
  readonly held: Held;
  readonly lane: UplinkLane;
  readonly throttle: Throttle;
  /** Tells the device and everybody else. */
  begin(): void;
  /** Resolves when what the device is subscribed to now will reach it, on this connection and, if it is kept, the next. */
  subscriptionsChanged(): Promise<void>;
  /** The connection is over. */
  end(reason: CloseReason): void;
}

/** What a session needs of its connection. */
export interface SessionLink {
  write(bytes: Buffer): void;
  close(reason: CloseReason, why?: string, told?: number): void;
  /** Sends more than it may: reads no more until false. */
  onThrottled(held: boolean): void;
  /** Its tenant holds all it may of the way to the bus: reads no more until false. */
  onShareFull(full: boolean): void;
  /** See `UplinkLaneOptions`. */
  onAcks(pressing: boolean): void;
  onFull(full: boolean): void;
}

/** A refusal to a PUBLISH is told in at most this many bytes. */
const MAX_REASON_BYTES = 256;

/** Makes a connection the session of its device, which ends the one before; a rejection when a newer one has begun. */
export function openSession(
  admission: Admission,
  context: ConnectionContext,
  link: SessionLink,
): OpenSession | Rejection {
  const { sessions, intake, metrics, wills, gatewayId } = context;
  const { tenant, device, epoch, limits, version } = admission;
  const earlier = sessions.get(tenant, device);
  if (earlier && earlier.admission.epoch < epoch) earlier.close('taken_over');
  const { state, resumed } = carryOn(admission, context);
  state.keepSeconds = admission.keepSeconds;
  const held: Held = { admission, state, close: (reason, why) => link.close(reason, why) };
  if (!sessions.hold(held))
    return new Rejection('overtaken', 'a newer session of this device began meanwhile');
  wills.cancel(tenant, device, epoch);
  const throttle = context.throttles.open(admission, {
    onHold: link.onThrottled,
    onExcess(limit) {
      metrics.throttled.inc({ limit });
      const told = limit === 'device' ? REASON.MESSAGE_RATE_TOO_HIGH : REASON.QUOTA_EXCEEDED;
      link.close('rate_exceeded', `more than its ${limit} may send`, told);
    },
  });
  const share = throttle.account.inflight;
  const lane = new UplinkLane({
    ...{ tenant, device, version, intake, inbox: state.inbox, share },
    maxPayloadBytes: context.limits.maxPayloadBytes,
    maxInflight: context.limits.maxInflight,
    maxReasonBytes: limits.wantsReasons ? Math.min(MAX_REASON_BYTES, limits.maxPacketBytes) : 0,
    storeSeconds: metrics.storeSeconds,
    onAcks: link.onAcks,
    onFull: link.onFull,
    onLost: () => link.close('not_stored'),
  });
  const unwatch = share.watch(link.onShareFull);
  const { downlink } = state;
  const listen = async () => {
    if (downlink.filters.size === 0) return;
    await context.followDownlink(tenant);
    if (!downlink.place) downlink.advance(context.downlinkPlace(tenant));
  };
  const subscriptionsChanged = async () => {
    context.readTables(admission, downlink);
    await listen();
    if (state.keepSeconds > 0) await context.keeper.save(held);
  };
  return {
    ...{ held, lane, throttle, subscriptionsChanged },
    begin() {
      metrics.connects.inc({ outcome: 'accepted' });
      context.onBegin(admission);
      announceConnected(intake, gatewayId, admission, admission.connectedAt.getTime());
      link.write(admission.welcome(resumed));
      downlink.attach({ version, limits, write: link.write });
      if (state.keepSeconds > 0) void context.keeper.save(held);
      void listen();
      context.readTables(admission, downlink);
    },
    end(reason) {
      lane.close();
      unwatch();
      downlink.advance(context.downlinkPlace(tenant));
      sessions.drop(held);
      // Whoever took over has read what was written and writes it from now on.
      if (reason !== 'taken_over' && (state.keepSeconds > 0 || state.written)) context.keeper.end(held);
    },
  };
}

/** What an earlier connection left, here or elsewhere, or a new session. */
function carryOn(
  admission: Admission,
  { sessions, metrics, catchUp, readTables, intake }: ConnectionContext,
): { readonly state: SessionState; readonly resumed: boolean } {
  const { tenant, device, kept } = admission;
  const parked = sessions.resume(admission);
  if (parked) return { state: parked, resumed: true };
  const written = kept !== undefined && kept !== 'unknown' ? readKeptState(kept.state) : undefined;
  const state = createSessionState(
    admission,
    {
      onOutcome: (outcome) => metrics.downlink.inc({ outcome }),
      onBehind: (session) => catchUp(tenant, device, session),
      onLacking: (session) => readTables(admission, session),
      onReceived(id, leaf) {
        if (leaf === 'commands') announceReceived(intake, admission, id);
      },
    },
    written,
  );
  return { state, resumed: written !== undefined };
}
