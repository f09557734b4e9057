import type { FieldValues, Path, UseFormSetError } from 'react-hook-form';

/** The members of a mutation's result union that are not its success. */
export type UserErrorLike = {
  readonly __typename?: string;
  readonly message: string;
  readonly code: string;
  readonly path?: readonly string[] | null;
  readonly issues?: readonly { readonly path: readonly string[]; readonly message: string }[];
};

/** Message for one field, or for the whole form when `field` is undefined. */
export type FieldMessage = { readonly field: string | undefined; readonly message: string };

/**
 * Sorts a result's errors by the form field they belong to. A path may begin with `input`; `fields` are the form's own
 * names, and `rename` maps an input field that the form calls otherwise (`siteKey` -> `site`).
 */
export function sortErrors(
  error: UserErrorLike,
  fields: readonly string[],
  rename: Readonly<Record<string, string>> = {},
): FieldMessage[] {
  const locate = (path: readonly string[] | null | undefined): string | undefined => {
    const name = path?.find((part) => part !== 'input');
    const field = name === undefined ? undefined : (rename[name] ?? name);
    return field !== undefined && fields.includes(field) ? field : undefined;
  };
  if (error.issues && error.issues.length > 0) {
    return error.issues.map((issue) => ({ field: locate(issue.path), message: issue.message }));
  }
  return [{ field: locate(error.path), message: error.message }];
}

/** Shows sorted errors in a react-hook-form form; the first faulty field takes the focus. */
export function showErrors<Values extends FieldValues>(
  messages: readonly FieldMessage[],
  fields: readonly Path<Values>[],
  setError: UseFormSetError<Values>,
): void {
  let focused = false;
  for (const { field, message } of messages) {
    const target = fields.find((name) => name === field);
    if (!target) {
      setError('root', { message });
      continue;
    }
    setError(target, { message }, { shouldFocus: !focused });
    focused = true;
  }
}
