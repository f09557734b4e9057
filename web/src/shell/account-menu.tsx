import { Building2, ChevronsUpDown, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { enterTenant } from '../auth/tenant.ts';
import { useAccount } from '../auth/viewer.tsx';
import { roleNames } from '../features/settings/role-names.ts';
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from '../ui/menu.tsx';
import { setTheme, useThemeChoice } from '../ui/theme.ts';
import { announce } from '../ui/toast.tsx';

const themes = [
  { value: 'light', label: 'Light', icon: <Sun aria-hidden="true" className="size-4 text-ink-3" /> },
  { value: 'dark', label: 'Dark', icon: <Moon aria-hidden="true" className="size-4 text-ink-3" /> },
  { value: 'system', label: 'System', icon: <Monitor aria-hidden="true" className="size-4 text-ink-3" /> },
] as const;

/** Who is signed in, theme, sign out. */
export function AccountMenu() {
  const { viewer, session, config } = useAccount();
  const theme = useThemeChoice();
  const signOut = () => {
    session
      .signOut()
      .catch(() => announce('Signing out failed: the identity provider did not answer.', 'bad'));
  };
  return (
    <Menu
      side="top"
      trigger={
        <button
          type="button"
          className="flex w-full items-center gap-2.5 rounded-md px-2 py-1.5 text-left hover:bg-hover"
        >
          <span className="sr-only">Account:</span>
          <span
            aria-hidden="true"
            className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-soft font-semibold text-accent text-xs"
          >
            {viewer.name.slice(0, 1).toUpperCase()}
          </span>
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium text-sm leading-4">{viewer.name}</span>
            <span className="block truncate text-ink-3 text-xs">{roleNames[viewer.role]}</span>
          </span>
          <ChevronsUpDown aria-hidden="true" className="size-3.5 text-ink-3" />
        </button>
      }
    >
      <MenuLabel>
        {viewer.email ?? viewer.name} · {viewer.tenant.name}
      </MenuLabel>
      {viewer.memberships.length > 1 && (
        <>
          <MenuLine />
          <MenuLabel>Tenant</MenuLabel>
          <MenuChoice
            value={viewer.tenant.slug}
            onChange={enterTenant}
            options={viewer.memberships.map(({ tenantSlug, tenantName }) => ({
              value: tenantSlug,
              label: tenantName,
              icon: <Building2 aria-hidden="true" className="size-4 text-ink-3" />,
            }))}
          />
        </>
      )}
      <MenuLine />
      <MenuLabel>Theme</MenuLabel>
      <MenuChoice value={theme} onChange={setTheme} options={themes} />
      <MenuLine />
      <MenuItem onSelect={signOut}>
        <LogOut aria-hidden="true" className="size-4 text-ink-3" />
        Sign out
      </MenuItem>
      <MenuLine />
      <MenuLabel>Fleetgraph {config.version}</MenuLabel>
    </Menu>
  );
}
