import { X } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { Button } from './button.tsx';
import { StatusShape } from './status.tsx';

type Tone = 'good' | 'bad';
type Toast = { readonly id: number; readonly message: string; readonly tone: Tone };

const showMs = 6_000;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let nextId = 1;

function publish(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Shows a short notice for 6 s and reads it out. At most three stay. */
export function announce(message: string, tone: Tone = 'good'): void {
  publish([...toasts.slice(-2), { id: nextId++, message, tone }]);
}

function dismiss(id: number): void {
  publish(toasts.filter((toast) => toast.id !== id));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function ToastCard({ toast }: { toast: Toast }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(toast.id), showMs);
    return () => clearTimeout(timer);
  }, [toast.id]);
  return (
    <div className="menu-in pointer-events-auto flex items-center gap-2.5 rounded-lg border border-line bg-raised py-1.5 pr-1.5 pl-3.5 shadow-2">
      <StatusShape shape={toast.tone === 'good' ? 'disc' : 'triangle'} tone={toast.tone} />
      <span className="text-sm">{toast.message}</span>
      <Button look="quiet" icon aria-label="Dismiss" onClick={() => dismiss(toast.id)}>
        <X aria-hidden="true" className="size-3.5" />
      </Button>
    </div>
  );
}

/** Where notices appear. Mount it once. */
export function ToastArea() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-3 bottom-4 z-50 flex flex-col items-center gap-2"
    >
      {shown.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>
  );
}
