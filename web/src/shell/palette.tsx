import { Command } from 'cmdk';
import {
  ArrowDownToLine,
  BadgeCheck,
  Building2,
  Cpu,
  FileUp,
  Gauge,
  Keyboard,
  KeyRound,
  LogOut,
  Monitor,
  Moon,
  Plus,
  Route,
  ScrollText,
  ShieldAlert,
  Sun,
  TriangleAlert,
  Users,
} from 'lucide-react';
import { type ReactNode, useDeferredValue, useEffect, useState } from 'react';
import { useNavigate } from 'react-router';
import { useQuery } from 'urql';
import { mayAdminister, mayWriteDevices, operatesPlatform, useAccount } from '../auth/viewer.tsx';
import { connectivity } from '../features/devices/presence.ts';
import { graphql } from '../generated/index.ts';
import { Kbd } from '../ui/kbd.tsx';
import { useOpener } from '../ui/opener.ts';
import { StatusShape } from '../ui/status.tsx';
import { setTheme } from '../ui/theme.ts';

const jumpDocument = graphql(`
  query JumpToDevice($search: String!) {
    devices(first: 8, where: { search: $search }) {
      nodes {
        id
        key
        name
        presence {
          connection
        }
      }
    }
  }
`);

type PaletteProps = { onOpenChange: (open: boolean) => void; onHelp: () => void };

const row =
  'flex h-10 cursor-pointer select-none items-center gap-3 rounded-md px-3 data-[selected=true]:bg-accent-soft';
const group =
  '[&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:pt-3 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-ink-3';

/** Jump to a device or run an action by typing. */
export function Palette({ onOpenChange, onHelp }: PaletteProps) {
  const navigate = useNavigate();
  const restoreFocus = useOpener();
  useEffect(() => () => void setTimeout(restoreFocus), [restoreFocus]);
  const { viewer, session } = useAccount();
  const [search, setSearch] = useState('');
  const term = useDeferredValue(search.trim());
  const [{ data, fetching }] = useQuery({
    query: jumpDocument,
    variables: { search: term },
    pause: term === '',
  });
  const devices = term === '' ? [] : (data?.devices.nodes ?? []);
  const go = (path: string) => () => {
    onOpenChange(false);
    navigate(path);
  };
  const act = (run: () => void) => () => {
    onOpenChange(false);
    run();
  };
  return (
    <Command.Dialog
      open
      onOpenChange={onOpenChange}
      label="Jump to a device or action"
      loop
      overlayClassName="overlay-in fixed inset-0 z-40 bg-scrim"
      contentClassName="dialog-in fixed inset-x-3 top-[10vh] z-40 mx-auto flex max-h-[70vh] max-w-xl flex-col overflow-hidden rounded-lg border border-line bg-raised shadow-2"
    >
      <Command.Input
        value={search}
        onValueChange={setSearch}
        placeholder="Device, page or action"
        className="h-12 w-full shrink-0 border-line border-b bg-transparent px-4 text-lg outline-none placeholder:text-ink-3"
      />
      <Command.List className="min-h-0 flex-1 overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-8 text-center text-ink-2">
          {fetching ? 'Looking…' : `Nothing matches “${search}”.`}
        </Command.Empty>
        {devices.length > 0 && (
          <Command.Group heading="Devices" className={group}>
            {devices.map((device) => {
              const state = connectivity[device.presence.connection];
              return (
                <Command.Item
                  key={device.id}
                  value={`device ${device.key} ${device.name}`}
                  keywords={[term]}
                  className={row}
                  onSelect={go(`/devices/${encodeURIComponent(device.key)}`)}
                >
                  <StatusShape shape={state.shape} tone={state.tone} />
                  <span className="min-w-0 flex-1 truncate">{device.name}</span>
                  <span className="truncate font-mono text-ink-3 text-xs">{device.key}</span>
                </Command.Item>
              );
            })}
          </Command.Group>
        )}
        <Command.Group heading="Go to" className={group}>
          <Action icon={<Cpu />} label="Devices" keys="g d" onSelect={go('/devices')} />
          <Action
            icon={<TriangleAlert />}
            label="Devices that are offline"
            onSelect={go('/devices?connection=offline')}
          />
          <Action icon={<ArrowDownToLine />} label="Ingest" onSelect={go('/ingest')} />
          <Action icon={<ShieldAlert />} label="Quarantine" onSelect={go('/quarantine')} />
          <Command.Item
            value={`message ${term}`}
            keywords={['message', 'receipt', 'inspector', term]}
            className={row}
            onSelect={go(`/messages${/^[\w.=-]{8,}$/.test(term) ? `?id=${encodeURIComponent(term)}` : ''}`)}
          >
            <span aria-hidden="true" className="text-ink-3 [&_svg]:size-4">
              <Route />
            </span>
            <span className="flex-1">Follow a message</span>
          </Command.Item>
          {mayWriteDevices(viewer.role) && (
            <>
              <Action icon={<Plus />} label="New device" keys="g n" onSelect={go('/new-device')} />
              <Action icon={<FileUp />} label="Import devices" onSelect={go('/import-devices')} />
              <Action icon={<BadgeCheck />} label="Certificates" onSelect={go('/settings/certificates')} />
            </>
          )}
          {mayAdminister(viewer.role) && (
            <>
              <Action icon={<Users />} label="Members" onSelect={go('/settings/members')} />
              <Action icon={<KeyRound />} label="API keys" onSelect={go('/settings/api-keys')} />
              <Action icon={<ScrollText />} label="Audit log" onSelect={go('/settings/audit')} />
            </>
          )}
          <Action icon={<Gauge />} label="Limits and usage" onSelect={go('/settings/usage')} />
          {operatesPlatform(viewer) && (
            <Action icon={<Building2 />} label="Platform" onSelect={go('/operator')} />
          )}
        </Command.Group>
        <Command.Group heading="Do" className={group}>
          <Action icon={<Sun />} label="Light theme" onSelect={act(() => setTheme('light'))} />
          <Action icon={<Moon />} label="Dark theme" onSelect={act(() => setTheme('dark'))} />
          <Action
            icon={<Monitor />}
            label="Follow the system’s theme"
            onSelect={act(() => setTheme('system'))}
          />
          <Action icon={<Keyboard />} label="Show keyboard shortcuts" keys="?" onSelect={onHelp} />
          <Action icon={<LogOut />} label="Sign out" onSelect={act(() => void session.signOut())} />
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}

type ActionProps = { icon: ReactNode; label: string; keys?: string; onSelect: () => void };

function Action({ icon, label, keys, onSelect }: ActionProps) {
  return (
    <Command.Item value={label} className={row} onSelect={onSelect}>
      <span aria-hidden="true" className="text-ink-3 [&_svg]:size-4">
        {icon}
      </span>
      <span className="flex-1">{label}</span>
      {keys && <Kbd keys={keys} />}
    </Command.Item>
  );
}
