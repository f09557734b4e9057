import { X } from 'lucide-react';
import { useEffect } from 'react';
import { Button } from '../ui/button.tsx';
import { useClock } from '../ui/clock.ts';
import { StatusShape, type Tone } from '../ui/status.tsx';
import { duration } from '../ui/time.ts';
import { useLive, useLiveState } from './live-context.tsx';
import type { LiveState } from './resume.ts';

const resumedShownMs = 5_000;

type Notice = { readonly tone: Tone; readonly text: string };

const reasons: Readonly<Record<string, string>> = {
  RETENTION: 'the break outlasted the resume window',
  SLOW_CONSUMER: 'this page could not keep up',
  AUTHORIZATION: 'permissions changed meanwhile',
  CURSOR_REFUSED: 'the stream has been rebuilt meanwhile',
};

/** What to tell the reader; undefined when there is nothing to tell. */
function describe(state: LiveState): Notice | undefined {
  switch (state.phase) {
    case 'reconnecting':
      return { tone: 'warn', text: 'Live updates interrupted, reconnecting…' };
    case 'resumed':
      return { tone: 'good', text: 'Live updates resumed, 0 missed' };
    case 'gap': {
      const events = state.missed === 1 ? 'event' : 'events';
      const lost = state.missed === null ? 'Some events were missed' : `${state.missed} ${events} missed`;
      const why = reasons[state.reason ?? ''];
      return { tone: 'bad', text: `Live updates resumed with a gap. ${lost}${why ? `: ${why}` : ''}.` };
    }
    default:
      return undefined;
  }
}

const backgrounds: Record<Tone, string> = {
  good: 'bg-good-soft',
  warn: 'bg-warn-soft',
  bad: 'bg-bad-soft',
  idle: 'bg-idle-soft',
};

function Since({ sinceMs }: { sinceMs: number }) {
  const text = useClock((nowMs) => (nowMs - sinceMs < 3_000 ? '' : duration(nowMs - sinceMs)));
  return text && <span className="text-ink-2"> {text}</span>;
}

/** The strip above every page that says how the live stream is doing. Always present, empty while all is well. */
export function LiveBanner() {
  const live = useLive();
  const state = useLiveState();
  const notice = describe(state);
  useEffect(() => {
    if (state.phase !== 'resumed') return;
    const timer = setTimeout(live.dismiss, resumedShownMs);
    return () => clearTimeout(timer);
  }, [state.phase, live]);
  return (
    <div role="status" data-testid="live-banner" data-state={state.phase}>
      {notice && (
        <div
          className={`flex min-h-9 items-center gap-2.5 border-line border-b px-4 py-1 text-sm sm:px-5 ${backgrounds[notice.tone]}`}
        >
          <StatusShape
            shape={notice.tone === 'good' ? 'disc' : 'triangle'}
            tone={notice.tone}
            {...(state.phase === 'reconnecting' ? { className: 'breathing' } : {})}
          />
          <p className="min-w-0 flex-1">
            {notice.text}
            {state.phase === 'reconnecting' && <Since sinceMs={state.sinceMs} />}
          </p>
          {state.phase !== 'reconnecting' && (
            <Button look="quiet" icon aria-label="Dismiss" onClick={live.dismiss}>
              <X aria-hidden="true" className="size-3.5" />
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
