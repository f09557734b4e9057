import { Download, ExternalLink, RefreshCw } from 'lucide-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { mayAdminister, useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import type { TenantCaDetailFragment } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { SelectField } from '../../ui/field.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { announce } from '../../ui/toast.tsx';
import { tenantCaDocument, tenantCaRotateDocument } from './certificate-documents.ts';

const pem = 'application/x-pem-file';
const overlaps = [
  { seconds: '', label: 'Until they expire' },
  { seconds: '7776000', label: 'For 90 days' },
  { seconds: '2592000', label: 'For 30 days' },
  { seconds: '604800', label: 'For a week' },
  { seconds: '0', label: 'Not at all: end them and their sessions now' },
];

type Generation = TenantCaDetailFragment['generations'][number];

/** The authorities of the tenant: which one signs, how long the others are trusted, where their lists are. */
export function TenantCa() {
  const { viewer } = useAccount();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: tenantCaDocument,
    requestPolicy: 'cache-and-network',
  });
  const [rotating, setRotating] = useState(false);
  const [rotated, setRotated] = useState<TenantCaDetailFragment>();
  const ca = rotated ?? data?.tenantCa;
  if (!ca && error)
    return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (!ca && fetching) return <Skeleton className="mx-4 mb-4 h-24 rounded-lg sm:mx-5" />;
  if (!ca) return null;
  const root = ca.rootCertificate;
  return (
    <section
      aria-label="Certificate authority"
      className="mx-4 mb-4 rounded-lg border border-line bg-surface shadow-1 sm:mx-5"
    >
      <div className="flex flex-wrap items-center gap-2 border-line border-b py-1.5 pr-2 pl-3.5">
        <h2 className="mr-auto font-semibold">Certificate authority</h2>
        {root && (
          <Button onClick={() => saveFile('fleetgraph-root.crt', root, pem)}>
            <Download aria-hidden="true" className="size-3.5" />
            Platform root
          </Button>
        )}
        {mayAdminister(viewer.role) && ca.generations.length > 0 && (
          <Button onClick={() => setRotating(true)}>
            <RefreshCw aria-hidden="true" className="size-3.5" />
            Replace…
          </Button>
        )}
      </div>
      {ca.generations.length === 0 ? (
        <p className="px-3.5 py-4 text-ink-2 text-sm">
          None yet. It is made with the first certificate of a device.
        </p>
      ) : (
        <ul className="max-h-64 divide-y divide-line overflow-y-auto">
          {ca.generations.map((generation) => (
            <Authority key={generation.generation} authority={generation} tenant={viewer.tenant.slug} />
          ))}
        </ul>
      )}
      {rotating && (
        <Rotate
          onRotated={(next) => {
            setRotated(next);
            announce('New certificates are signed by the new authority.');
          }}
          onClose={() => setRotating(false)}
        />
      )}
    </section>
  );
}

function Authority({ authority, tenant }: { authority: Generation; tenant: string }) {
  const { generation, isCurrent, certificate, fingerprint, expiresAt, retiresAt, liveCertificates, crlUrl } =
    authority;
  const over = retiresAt && Date.parse(retiresAt) <= Date.now();
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-3.5 py-2.5">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex flex-wrap items-center gap-x-3 font-medium">
          Generation {generation}
          {isCurrent ? (
            <StatusBadge shape="disc" tone="good" label="Signs" />
          ) : over ? (
            <StatusBadge shape="square" tone="idle" label="Retired" />
          ) : (
            <StatusBadge shape="half" tone={retiresAt ? 'warn' : 'idle'} label="Still trusted" />
          )}
        </p>
        <p className="text-ink-3 text-sm">
          {liveCertificates.toLocaleString()} good {liveCertificates === 1 ? 'certificate' : 'certificates'},{' '}
          {retiresAt ? (
            <>
              {over ? 'retired' : 'retires'} <RelativeTime at={retiresAt} ahead={!over} />
            </>
          ) : (
            <>
              expires <RelativeTime at={expiresAt} ahead />
            </>
          )}
        </p>
        <p className="truncate font-mono text-ink-3 text-xs" title={fingerprint}>
          SHA-256 {fingerprint}
        </p>
      </div>
      <div className="flex gap-2">
        <Button
          aria-label={`PEM of generation ${generation}`}
          onClick={() => saveFile(`${tenant}-ca-${generation}.crt`, certificate, pem)}
        >
          <Download aria-hidden="true" className="size-3.5" />
          PEM
        </Button>
        <a
          href={new URL(crlUrl).pathname}
          className="inline-flex h-8 items-center gap-1.5 rounded-md px-2 text-accent text-sm hover:underline"
          aria-label={`CRL of generation ${generation}`}
        >
          CRL
          <ExternalLink aria-hidden="true" className="size-3.5" />
        </a>
      </div>
    </li>
  );
}

type RotateProps = { onRotated: (ca: TenantCaDetailFragment) => void; onClose: () => void };

function Rotate({ onRotated, onClose }: RotateProps) {
  const [overlap, setOverlap] = useState('');
  const [, rotate] = useMutation(tenantCaRotateDocument);
  const confirm = async () => {
    const overlapSeconds = overlap === '' ? null : Number(overlap);
    const { data, error } = await rotate({ input: { overlapSeconds } });
    const result = data?.tenantCaRotate;
    if (result?.__typename !== 'TenantCaRotateSuccess') return failureText(result, error);
    onRotated(result.tenantCa);
    return undefined;
  };
  return (
    <ConfirmDialog
      title="Replace the certificate authority?"
      description="A new one signs from now on, under the same root: devices trust the platform as before. This cannot be undone."
      action="Replace"
      onConfirm={confirm}
      onClose={onClose}
    >
      <SelectField
        label="Keep the certificates of the current one good"
        value={overlap}
        onChange={(event) => setOverlap(event.target.value)}
      >
        {overlaps.map(({ seconds, label }) => (
          <option key={label} value={seconds}>
            {label}
          </option>
        ))}
      </SelectField>
    </ConfirmDialog>
  );
}
