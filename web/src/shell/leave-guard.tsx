import { type ReactNode, use, useEffect, useRef, useState } from 'react';
import { UNSAFE_NavigationContext as NavigationContext } from 'react-router';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { watchBack } from './back-gate.ts';

type LeaveGuard = {
  /** Asks whether to leave, while somebody is about to. */
  readonly dialog: ReactNode;
  /** Lets go: what is to be lost is saved. */
  release(): void;
};

/** Where the router counts the pages of this visit. */
const placeOf = (state: unknown): number =>
  typeof state === 'object' && state !== null && 'idx' in state ? Number(state.idx) : 0;

/**
 * Asks before somebody leaves the page while there is something to lose: by a link, a shortcut, Back or Forward, or by closing the tab,
 * where the browser asks in its own words.
 */
export function useLeaveGuard(something: boolean, what: string): LeaveGuard {
  const { navigator } = use(NavigationContext);
  const [leave, setLeave] = useState<() => void>();
  const released = useRef(false);
  useEffect(() => {
    if (!something || released.current) return;
    const { push, replace } = navigator;
    const place = placeOf(history.state);
    let returning = false;
    const hold = (go: () => void) => (released.current ? go() : setLeave(() => go));
    navigator.push = (...to) => hold(() => push(...to));
    navigator.replace = (...to) => hold(() => replace(...to));
    const close = (event: BeforeUnloadEvent) => {
      if (!released.current) event.preventDefault();
    };
    // Back has left already: it is undone unseen by the router, and done again when that is wanted.
    const step = (event: PopStateEvent) => {
      if (released.current) return;
      event.stopImmediatePropagation();
      if (returning) {
        returning = false;
        return;
      }
      const steps = placeOf(event.state) - place;
      returning = true;
      history.go(-steps);
      hold(() => history.go(steps));
    };
    window.addEventListener('beforeunload', close);
    const unwatch = watchBack(step);
    return () => {
      Object.assign(navigator, { push, replace });
      window.removeEventListener('beforeunload', close);
      unwatch();
    };
  }, [something, navigator]);
  const release = () => {
    released.current = true;
  };
  const dialog = leave && (
    <ConfirmDialog
      title="Leave without saving?"
      description={what}
      action="Leave"
      onConfirm={async () => {
        release();
        leave();
        return undefined;
      }}
      onClose={() => setLeave(undefined)}
    />
  );
  return { dialog, release };
}
