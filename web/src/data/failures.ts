import type { FieldValues, Path, UseFormSetError } from 'react-hook-form';
import type { CombinedError } from 'urql';
import { graphql } from '../generated/index.ts';
import { describeError } from './client.ts';
import { showErrors, sortErrors, type UserErrorLike } from './form-errors.ts';

// What a mutation answers when it did nothing. Codegen finds it here; documents name it.
graphql(`
  fragment Failure on UserError {
    message
    code
    path
    ... on ValidationError {
      issues {
        path
        message
      }
    }
    ... on ConflictError {
      currentVersion
    }
  }
`);

const unanswered = 'The platform did not answer. Try again.';

/** Why nothing was done, every problem on a line of its own. */
export function failureText(
  failure: UserErrorLike | null | undefined,
  error: CombinedError | undefined,
): string {
  if (!failure) return error ? describeError(error).message : unanswered;
  if (!failure.issues || failure.issues.length === 0) return failure.message;
  return failure.issues
    .map(({ path, message }) => {
      const place = path.filter((part) => part !== 'input' && part !== 'document').join('.');
      if (place === '') return message;
      return /^(must|is|has) /.test(message) ? `${place} ${message}.` : `${place}: ${message}`;
    })
    .join('\n');
}

/** Shows in a form why nothing was done: at the fields that are to blame, or above its buttons. */
export function showFailure<Values extends FieldValues>(
  failed: { readonly failure: UserErrorLike | null | undefined; readonly error: CombinedError | undefined },
  form: {
    readonly fields: readonly Path<Values>[];
    readonly rename?: Readonly<Record<string, string>>;
    readonly setError: UseFormSetError<Values>;
  },
): void {
  const { failure, error } = failed;
  if (!failure) form.setError('root', { message: error ? describeError(error).message : unanswered });
  else showErrors(sortErrors(failure, form.fields, form.rename), form.fields, form.setError);
}
