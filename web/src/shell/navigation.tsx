import {
  ArrowDownToLine,
  BadgeCheck,
  Building2,
  Cpu,
  ExternalLink,
  Gauge,
  KeyRound,
  Plus,
  ScrollText,
  Search,
  ShieldAlert,
  Users,
  Waypoints,
} from 'lucide-react';
import { NavLink } from 'react-router';
import { mayAdminister, mayWriteDevices, operatesPlatform, useAccount } from '../auth/viewer.tsx';
import { cx } from '../ui/class-names.ts';
import { Kbd } from '../ui/kbd.tsx';
import { AccountMenu } from './account-menu.tsx';
import { Logo } from './logo.tsx';

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
      <nav aria-label="Main" className="flex flex-col gap-0.5">
        <NavLink to="/devices" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
          <Cpu aria-hidden="true" className="size-4" />
          Devices
        </NavLink>
        {mayWriteDevices(viewer.role) && (
          <NavLink to="/new-device" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
            <Plus aria-hidden="true" className="size-4" />
            New device
          </NavLink>
        )}
        <NavLink to="/ingest" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
          <ArrowDownToLine aria-hidden="true" className="size-4" />
          Ingest
        </NavLink>
        <NavLink to="/quarantine" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
          <ShieldAlert aria-hidden="true" className="size-4" />
          Quarantine
        </NavLink>
        <h2 className="mt-3 px-2 pb-1 text-ink-3 text-xs">Settings</h2>
        {mayWriteDevices(viewer.role) && (
          <NavLink to="/settings/certificates" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
            <BadgeCheck aria-hidden="true" className="size-4" />
            Certificates
          </NavLink>
        )}
        {mayAdminister(viewer.role) && (
          <>
            <NavLink to="/settings/members" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
              <Users aria-hidden="true" className="size-4" />
              Members
            </NavLink>
            <NavLink to="/settings/api-keys" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
              <KeyRound aria-hidden="true" className="size-4" />
              API keys
            </NavLink>
            <NavLink to="/settings/audit" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
              <ScrollText aria-hidden="true" className="size-4" />
              Audit log
            </NavLink>
          </>
        )}
        <NavLink to="/settings/usage" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
          <Gauge aria-hidden="true" className="size-4" />
          Limits and usage
        </NavLink>
        {operatesPlatform(viewer) && (
          <>
            <h2 className="mt-3 px-2 pb-1 text-ink-3 text-xs">Operators</h2>
            <NavLink to="/operator" className={link} {...(onLeave ? { onClick: onLeave } : {})}>
              <Building2 aria-hidden="true" className="size-4" />
              Platform
            </NavLink>
          </>
        )}
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
