import { Menu as MenuIcon, Search } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { Outlet, useNavigate } from 'react-router';
import { mayWriteDevices, useAccount } from '../auth/viewer.tsx';
import { LiveBanner } from '../live/live-banner.tsx';
import { Button } from '../ui/button.tsx';
import { useShortcut } from '../ui/shortcuts.ts';
import { ToastArea } from '../ui/toast.tsx';
import { Logo } from './logo.tsx';
import { Navigation } from './navigation.tsx';
import { PageSkeleton } from './page.tsx';

const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })));
const SideSheet = lazy(() => import('./side-sheet.tsx').then((module) => ({ default: module.SideSheet })));
const ShortcutHelp = lazy(() =>
  import('./shortcut-help.tsx').then((module) => ({ default: module.ShortcutHelp })),
);

type Overlay = 'palette' | 'help' | 'navigation' | undefined;

/** Everything around a page: navigation, banner, palette, shortcuts. */
export function Shell() {
  const navigate = useNavigate();
  const { viewer } = useAccount();
  const [overlay, setOverlay] = useState<Overlay>();
  const show = (which: Overlay) => (open: boolean) => setOverlay(open ? which : undefined);

  useShortcut('mod+k', 'Jump to a device or action', () => setOverlay('palette'));
  useShortcut('g d', 'Go to devices', () => navigate('/devices'));
  useShortcut('g n', 'Go to new device', () => {
    if (mayWriteDevices(viewer.role)) navigate('/new-device');
  });
  useShortcut('?', 'Show these keys', () => setOverlay('help'));

  return (
    <div className="relative flex h-full flex-col overflow-hidden lg:flex-row">
      <a
        href="#page"
        className="sr-only z-50 rounded-md bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the page
      </a>
      <aside className="hidden w-56 shrink-0 border-line border-r bg-sunken lg:block">
        <Navigation onPalette={() => setOverlay('palette')} />
      </aside>
      <header className="flex h-12 shrink-0 items-center gap-2 border-line border-b bg-sunken px-2 lg:hidden">
        <Button look="quiet" icon aria-label="Open navigation" onClick={() => setOverlay('navigation')}>
          <MenuIcon aria-hidden="true" className="size-4" />
        </Button>
        <Logo />
        <span className="min-w-0 flex-1 truncate font-semibold">Fleetgraph</span>
        <Button
          look="quiet"
          icon
          aria-label="Jump to a device or action"
          onClick={() => setOverlay('palette')}
        >
          <Search aria-hidden="true" className="size-4" />
        </Button>
      </header>
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <LiveBanner />
        <main id="page" tabIndex={-1} className="relative flex min-h-0 flex-1 flex-col outline-none">
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Suspense fallback={null}>
        {overlay === 'navigation' && (
          <SideSheet onOpenChange={show('navigation')}>
            <Navigation onPalette={() => setOverlay('palette')} onLeave={() => setOverlay(undefined)} />
          </SideSheet>
        )}
        {overlay === 'palette' && (
          <Palette onOpenChange={show('palette')} onHelp={() => setOverlay('help')} />
        )}
        {overlay === 'help' && <ShortcutHelp onOpenChange={show('help')} />}
      </Suspense>
      <ToastArea />
    </div>
  );
}
