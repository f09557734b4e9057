import {
  ArrowDownToLine,
  BadgeCheck,
  Boxes,
  Building2,
  Cpu,
  ExternalLink,
  Gauge,
  KeyRound,
  LayoutTemplate,
  type LucideIcon,
  MapPin,
  MapPinned,
  Plus,
  ScrollText,
  Search,
  ShieldAlert,
  Users,
  Waypoints,
} from 'lucide-react';
import { Fragment } from 'react';
import { NavLink } from 'react-router';
import {
  mayAdminister,
  mayWriteDevices,
  operatesPlatform,
  useAccount,
  type Viewer,
} from '../auth/viewer.tsx';
import { cx } from '../ui/class-names.ts';
import { Kbd } from '../ui/kbd.tsx';
import { AccountMenu } from './account-menu.tsx';
import { Logo } from './logo.tsx';

type Entry = {
  readonly to: string;
  readonly label: string;
  readonly icon: LucideIcon;
  /** Absent: everybody may. */
  readonly may?: (viewer: Viewer) => boolean;
};

const writes = ({ role }: Viewer) => mayWriteDevices(role);
const administers = ({ role }: Viewer) => mayAdminister(role);

/** Where one can go, in the order of the side bar. */
const sections: readonly { readonly title: string; readonly entries: readonly Entry[] }[] = [
  {
    title: '',
    entries: [
      { to: '/devices', label: 'Devices', icon: Cpu },
      { to: '/new-device', label: 'New device', icon: Plus, may: writes },
      { to: '/templates', label: 'Templates', icon: LayoutTemplate },
      { to: '/groups', label: 'Groups', icon: Boxes },
      { to: '/sites', label: 'Sites', icon: MapPin },
      { to: '/map', label: 'Map', icon: MapPinned },
      { to: '/ingest', label: 'Ingest', icon: ArrowDownToLine },
      { to: '/quarantine', label: 'Quarantine', icon: ShieldAlert },
    ],
  },
  {
    title: 'Settings',
    entries: [
      { to: '/settings/certificates', label: 'Certificates', icon: BadgeCheck, may: writes },
      { to: '/settings/members', label: 'Members', icon: Users, may: administers },
      { to: '/settings/api-keys', label: 'API keys', icon: KeyRound, may: administers },
      { to: '/settings/audit', label: 'Audit log', icon: ScrollText, may: administers },
      { to: '/settings/usage', label: 'Limits and usage', icon: Gauge },
    ],
  },
  {
    title: 'Operators',
    entries: [{ to: '/operator', label: 'Platform', icon: Building2, may: operatesPlatform }],
  },
];

const item = 'flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium';
const idle = 'text-ink-2 hover:bg-hover hover:text-ink';

type NavigationProps = { onPalette: () => void; onLeave?: () => void };

/** The contents of the side bar: where one can go, and who one is. */
export function Navigation({ onPalette, onLeave }: NavigationProps) {
  const { viewer } = useAccount();
  const link = ({ isActive }: { isActive: boolean }) =>
    cx(item, isActive ? 'bg-accent-soft text-accent' : idle);
  return (
    <div className="flex h-full flex-col gap-4 p-3">
      <div className="flex items-center gap-2.5 px-1.5 pt-1">
        <Logo />
        <span className="min-w-0">
          <span className="block font-semibold leading-4">Fleetgraph</span>
          <span className="block truncate text-ink-3 text-xs">{viewer.tenant.name}</span>
        </span>
      </div>
      <button
        type="button"
        onClick={onPalette}
        className="flex h-8 items-center gap-2 rounded-md border border-line bg-surface px-2 text-ink-3 text-sm shadow-1 hover:border-line-strong"
      >
        <Search aria-hidden="true" className="size-3.5" />
        <span className="flex-1 text-left">Jump to…</span>
        <Kbd keys="mod+k" />
      </button>
      <nav aria-label="Main" className="flex min-h-0 flex-col gap-0.5 overflow-y-auto">
        {sections.map(({ title, entries }) => {
          const shown = entries.filter(({ may }) => may?.(viewer) ?? true);
          if (shown.length === 0) return null;
          return (
            <Fragment key={title}>
              {title !== '' && <h2 className="mt-3 px-2 pb-1 text-ink-3 text-xs">{title}</h2>}
              {shown.map(({ to, label, icon: Icon }) => (
                <NavLink key={to} to={to} className={link} {...(onLeave ? { onClick: onLeave } : {})}>
                  <Icon aria-hidden="true" className="size-4 shrink-0" />
                  {label}
                </NavLink>
              ))}
            </Fragment>
          );
        })}
      </nav>
      <div className="mt-auto flex flex-col gap-2">
        <a href="/graphql" target="_blank" rel="noreferrer" className={cx(item, idle)}>
          <Waypoints aria-hidden="true" className="size-4" />
          <span className="flex-1">GraphQL API</span>
          <ExternalLink aria-hidden="true" className="size-3.5 text-ink-3" />
        </a>
        <div className="border-line border-t pt-2">
          <AccountMenu />
        </div>
      </div>
    </div>
  );
}
