import { useCallback, useState } from 'react';

/**
 * Remembers what had the focus when an overlay was first rendered. The returned function gives the focus back,
 * or does nothing when that element is gone.
 */
export function useOpener(): () => void {
  const [opener] = useState(() => document.activeElement);
  return useCallback(() => {
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  }, [opener]);
}
