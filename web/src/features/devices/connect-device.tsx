import { Check } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useQuery } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { exampleReading } from '../templates/example-reading.ts';
import { templateDocument } from '../templates/template-documents.ts';
import type { CertificateBundle } from './certificate-bundle.ts';
import { devicePath } from './device-link.ts';
import { FirstMessage } from './first-message.tsx';
import { CertificateReady, MakeCertificate } from './make-certificate.tsx';
import { ClaimCodeReady, type MadeCode, MakeClaimCode } from './make-claim-code.tsx';
import { SnippetTabs } from './snippet-tabs.tsx';
import { buildSnippets } from './snippets.ts';

/** How a new device is to prove who it is. */
export type AccessKind = 'token' | 'claim' | 'generate' | 'request';

/** A device just created; with a token, the secret that is shown this once. */
export type NewDeviceAccess = {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly kind: AccessKind;
  /** Empty: it is made of none. */
  readonly templateKey: string;
  readonly token: { readonly username: string; readonly secret: string } | null;
};

type ConnectDeviceProps = { access: NewDeviceAccess; onAnother: () => void };

/** The credential, the commands that use it, and the wait for what they send. */
export function ConnectDevice({ access, onAnother }: ConnectDeviceProps) {
  return (
    <ol className="flex flex-col gap-4">
      {access.token && <ByToken access={access} token={access.token} />}
      {access.kind === 'claim' && <ByClaimCode access={access} />}
      {(access.kind === 'generate' || access.kind === 'request') && (
        <ByCertificate access={access} keyFrom={access.kind === 'generate' ? 'browser' : 'device'} />
      )}
      <Step title="Watch it arrive">
        <FirstMessage deviceId={access.id} />
        <div className="mt-4 flex flex-wrap gap-2">
          <Link to={devicePath(access.key)} className={buttonClass('primary')}>
            Open {access.name}
          </Link>
          <Button onClick={onAnother}>Add another</Button>
        </div>
      </Step>
    </ol>
  );
}

type ByTokenProps = { access: NewDeviceAccess; token: NonNullable<NewDeviceAccess['token']> };

function ByToken({ access, token }: ByTokenProps) {
  const { viewer, config } = useAccount();
  const tenant = viewer.tenant.slug;
  const { templateKey } = access;
  const [{ data }] = useQuery({
    query: templateDocument,
    variables: { key: templateKey },
    pause: templateKey === '',
  });
  const metrics = data?.template?.metrics;
  const snippets = useMemo(
    () =>
      buildSnippets({
        reading: metrics && metrics.length > 0 ? exampleReading(metrics) : { temperature: 21.5 },
        mqttUrl: config.mqttUrl,
        httpUrl: config.httpUrl,
        tenant,
        deviceKey: access.key,
        ...token,
      }),
    [config.mqttUrl, config.httpUrl, tenant, access.key, token, metrics],
  );
  return (
    <>
      <Step done title="Keep the token">
        <ShownOnce />
        <Secrets>
          <Secret name="User name" value={token.username} />
          <Secret name="Token" value={token.secret} testId="device-token" />
        </Secrets>
      </Step>
      <Step title="Send a first message">
        <SnippetTabs snippets={snippets} />
      </Step>
    </>
  );
}

function ByClaimCode({ access }: { access: NewDeviceAccess }) {
  const [made, setMade] = useState<MadeCode>();
  return (
    <Step done={made !== undefined} title={made ? 'Let the device claim it' : 'Make a claim code'}>
      {made ? <ClaimCodeReady {...made} /> : <MakeClaimCode deviceId={access.id} onMade={setMade} />}
    </Step>
  );
}

type ByCertificateProps = { access: NewDeviceAccess; keyFrom: 'browser' | 'device' };

function ByCertificate({ access, keyFrom }: ByCertificateProps) {
  const [bundle, setBundle] = useState<CertificateBundle>();
  return (
    <Step done={bundle !== undefined} title={bundle ? 'Send a first message' : 'Make the certificate'}>
      {bundle ? (
        <CertificateReady bundle={bundle} />
      ) : (
        <MakeCertificate device={access} keyFrom={keyFrom} onMade={setBundle} />
      )}
    </Step>
  );
}

function Step({ title, done = false, children }: { title: string; done?: boolean; children: ReactNode }) {
  return (
    <li className="min-w-0 rounded-lg border border-line bg-surface p-4 shadow-1 sm:p-5">
      <h2 className="mb-2 flex items-center gap-2 font-semibold text-lg">
        {title}
        {done && <Check aria-label="ready" className="size-4 text-good" />}
      </h2>
      {children}
    </li>
  );
}
