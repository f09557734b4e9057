import { useState } from 'react';
import { useMutation } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { useAttempt } from '../../data/attempt.ts';
import { failureText } from '../../data/failures.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SecondsField } from '../../ui/seconds-field.tsx';
import { ShownOnce } from '../../ui/secret.tsx';
import { claimCommand } from './certificate-bundle.ts';
import { claimCodeCreateDocument } from './credential-documents.ts';

const lifetimes = [
  { seconds: 3_600, label: 'In an hour' },
  { seconds: 86_400, label: 'In a day' },
  { seconds: 604_800, label: 'In 7 days' },
  { seconds: 2_592_000, label: 'In 30 days' },
];

/** A claim code that was just made. */
export type MadeCode = { readonly code: string; readonly expiresAt: string };

type MakeClaimCodeProps = {
  deviceId: string;
  onMade: (made: MadeCode) => void;
  onCancel?: () => void;
};

/** Asks how long a claim code is to last, and has it made. */
export function MakeClaimCode({ deviceId, onMade, onCancel }: MakeClaimCodeProps) {
  const [seconds, setSeconds] = useState(86_400);
  const [problem, setProblem] = useState<string>();
  const attempt = useAttempt();
  const [{ fetching }, create] = useMutation(claimCodeCreateDocument);
  const submit = async () => {
    const { clientMutationId } = attempt.at(seconds);
    const { data, error } = await create({
      input: { deviceId, expiresInSeconds: seconds, clientMutationId },
    });
    attempt.answered(error);
    const result = data?.claimCodeCreate;
    if (result?.__typename === 'ClaimCodeCreateSuccess')
      return onMade({ code: result.code, expiresAt: result.claimCode.expiresAt });
    setProblem(failureText(result, error));
  };
  return (
    <DialogForm
      action="Make claim code"
      busy={fetching}
      problem={problem}
      onSubmit={() => void submit()}
      onCancel={onCancel}
    >
      <SecondsField label="Expires" choices={lifetimes} value={seconds} onChange={setSeconds} />
    </DialogForm>
  );
}

/** The code, large enough to be read out, and what the device does with it. */
export function ClaimCodeReady({ code, expiresAt }: MadeCode) {
  const { config } = useAccount();
  const command = claimCommand(config.httpUrl, code);
  return (
    <>
      <ShownOnce />
      <div className="mb-4 flex flex-wrap items-center justify-between gap-2 rounded-md border border-line bg-sunken px-4 py-3">
        <span data-testid="claim-code" className="font-mono font-semibold text-xl tracking-wide">
          {code}
        </span>
        <CopyButton text={code} label="Copy claim code" />
        <span className="w-full text-ink-2 text-sm">
          Good once, ends <RelativeTime at={expiresAt} ahead />.
        </span>
      </div>
      <div className="mb-2 flex items-center justify-between gap-2">
        <p className="text-ink-2 text-sm">
          The device exchanges it for a token, or sends its request along as <code>csr</code> for a
          certificate:
        </p>
        <CopyButton text={command} label="Copy" withText />
      </div>
      <pre className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5">
        {command}
      </pre>
    </>
  );
}
