import { happenings } from '../commands/command-view.ts';
import type { DeviceTab } from '../devices/device-link.ts';
import type { Look } from '../devices/presence.ts';
import { connectivity, credentialState, freshness } from '../devices/presence.ts';
import { actionOf } from '../settings/audit-actions.ts';
import type { TimelineAudit, TimelineDevice } from './timeline-documents.ts';

export const timelineKinds = ['PRESENCE', 'SHADOW', 'COMMAND', 'MODULE', 'GAP', 'AUDIT'] as const;
export type TimelineKind = (typeof timelineKinds)[number];

export const kindNames: Record<TimelineKind, string> = {
  PRESENCE: 'Presence',
  SHADOW: 'Shadow',
  COMMAND: 'Commands',
  MODULE: 'Modules',
  GAP: 'Missing messages',
  AUDIT: 'What people did',
};

/** One thing that happened, with where its cause is shown. */
export type TimelineItem = {
  readonly id: string;
  readonly kind: TimelineKind;
  readonly at: string;
  readonly text: string;
  readonly note: string;
  readonly look: Pick<Look, 'shape' | 'tone'>;
  readonly tab?: DeviceTab;
};

const plain = { shape: 'dash', tone: 'idle' } as const;

function presenceItems({ availability }: TimelineDevice): TimelineItem[] {
  return availability.changes.map((change, index, changes): TimelineItem => {
    const before = changes[index + 1];
    const looks = [
      before?.connection !== change.connection && connectivity[change.connection],
      before?.freshness !== change.freshness && freshness[change.freshness],
      before?.credential !== change.credential && credentialState[change.credential],
    ].filter((look) => look !== false);
    const said = before ? looks : looks.slice(0, 2);
    return {
      ...{ id: `presence/${change.at}/${index}`, kind: 'PRESENCE', at: change.at },
      text: said.map(({ label }) => label).join(', '),
      note: said.map(({ meaning }) => meaning).join('. '),
      look: said[0] ?? plain,
    };
  });
}

function shadowItems({ shadowHistory }: TimelineDevice): TimelineItem[] {
  return shadowHistory.nodes.map(({ side, version, answers, actorName, at }) => ({
    ...{ id: `shadow/${side}/${version}`, kind: 'SHADOW', at, tab: 'shadow' },
    text: side === 'DESIRED' ? `Version ${version} is desired` : `The device reported version ${version}`,
    note: side === 'DESIRED' ? `by ${actorName}` : answers ? `in answer to version ${answers}` : '',
    look: side === 'DESIRED' ? { shape: 'ring', tone: 'idle' } : { shape: 'disc', tone: 'good' },
  }));
}

function commandItems({ commands }: TimelineDevice): TimelineItem[] {
  return commands.nodes.flatMap(({ id, type, actorName, transitions }) =>
    transitions.map(
      ({ happening, at, moved }): TimelineItem => ({
        ...{ id: `command/${id}/${happening}/${at}`, kind: 'COMMAND', at, tab: 'commands' },
        text: `${type}: ${happenings[happening].toLowerCase()}`,
        note: happening === 'QUEUED' ? `by ${actorName}` : moved ? '' : 'too late to count',
        look: happening === 'OK' ? { shape: 'disc', tone: 'good' } : plain,
      }),
    ),
  );
}

function moduleItems({ modules, removedModules }: TimelineDevice): TimelineItem[] {
  const item = (id: string, at: string, text: string): TimelineItem => ({
    ...{ id, kind: 'MODULE', at, text, note: '', look: plain, tab: 'parts' },
  });
  const installed = [...modules, ...removedModules].map(({ id, name, slot, installedAt }) =>
    item(`module/${id}/in`, installedAt, `${name} was put into ${slot}`),
  );
  const removed = removedModules.flatMap(({ id, name, slot, removedAt }) =>
    removedAt ? [item(`module/${id}/out`, removedAt, `${name} was taken out of ${slot}`)] : [],
  );
  return [...installed, ...removed];
}

function gapItems({ sequence }: TimelineDevice): TimelineItem[] {
  return (sequence?.gaps ?? []).map(({ from, to, missing, firstSeenAt, healedAt }) => ({
    ...{ id: `gap/${from}/${firstSeenAt}`, kind: 'GAP', at: firstSeenAt, tab: 'details' },
    text: `${missing.toLocaleString()} ${missing === 1 ? 'message is' : 'messages are'} missing`,
    note: `numbers ${from} to ${to}${healedAt ? ', which came later' : ''}`,
    look: healedAt ? plain : { shape: 'triangle', tone: 'warn' },
  }));
}

const auditItems = (audit: TimelineAudit | undefined): TimelineItem[] =>
  (audit?.nodes ?? []).map(({ id, at, action, actor, target }) => ({
    ...{ id: `audit/${id}`, kind: 'AUDIT', at, look: plain },
    text: actionOf(action),
    note: `${actor.name} · ${target.label}`,
  }));

type Bounds = { readonly fromMs: number; readonly toMs: number };

/** Everything that happened to a device between two instants, the newest first. */
export function mergeTimeline(
  device: TimelineDevice,
  audit: TimelineAudit | undefined,
  { fromMs, toMs }: Bounds,
): TimelineItem[] {
  return [
    ...presenceItems(device),
    ...shadowItems(device),
    ...commandItems(device),
    ...moduleItems(device),
    ...gapItems(device),
    ...auditItems(audit),
  ]
    .filter(({ at, text }) => text !== '' && Date.parse(at) >= fromMs && Date.parse(at) <= toMs)
    .sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/**
 * Since when the time line is whole: what a kind has more of than was asked for is not known before its oldest item. Undefined when
 * nothing is left out.
 */
export function wholeSince(device: TimelineDevice, audit: TimelineAudit | undefined): number | undefined {
  const { availability, shadowHistory, commands } = device;
  const ends = [
    availability.changeCount > availability.changes.length && availability.changes.at(-1)?.at,
    shadowHistory.pageInfo.hasNextPage && shadowHistory.nodes.at(-1)?.at,
    commands.pageInfo.hasNextPage && commands.nodes.at(-1)?.createdAt,
    audit?.pageInfo.hasNextPage && audit.nodes.at(-1)?.at,
  ].flatMap((at) => (at ? [Date.parse(at)] : []));
  return ends.length === 0 ? undefined : Math.max(...ends);
}
