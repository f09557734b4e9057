import { useCallback, useMemo } from 'react';
import { useLocation, useSearchParams } from 'react-router';

/** Reads a view out of a query string and writes it back. Reading never throws: what it does not understand is left out. */
export type UrlCodec<View> = {
  parse(params: URLSearchParams): View;
  /** Writes only what differs from the default view, in a fixed order, so that equal views are equal links. */
  format(view: View): URLSearchParams;
};

/** Values of `key` that are among `allowed`, each once, in the order of `allowed`. */
export function readChoices<Value extends string>(
  params: URLSearchParams,
  key: string,
  allowed: readonly Value[],
): readonly Value[] {
  const given = new Set(readList(params, key).map((value) => value.toUpperCase()));
  return allowed.filter((value) => given.has(value));
}

/** Every non-empty value of `key`, each once; commas separate values too. */
export function readList(params: URLSearchParams, key: string): readonly string[] {
  const values = params.getAll(key).flatMap((value) => value.split(','));
  return [...new Set(values.map((value) => value.trim()).filter((value) => value !== ''))];
}

/**
 * The page's view, kept in the URL. Setting it replaces the history entry, so that Back leaves the page;
 * pass `push` for a step worth going back from. Setting it does nothing while the page is being left: whoever has chosen a link
 * before a search was taken up gets what they chose last.
 */
export function useUrlState<View>(
  codec: UrlCodec<View>,
): [view: View, set: (next: View, options?: { push?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const { pathname } = useLocation();
  const key = params.toString();
  const view = useMemo(() => codec.parse(new URLSearchParams(key)), [codec, key]);
  const set = useCallback(
    (next: View, options?: { push?: boolean }) => {
      if (window.location.pathname !== pathname) return;
      setParams(codec.format(next), { replace: options?.push !== true, preventScrollReset: true });
    },
    [codec, setParams, pathname],
  );
  return [view, set];
}
