import { Download } from 'lucide-react';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import { Button } from '../../ui/button.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { TextAreaField } from '../../ui/field.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { SecondsField } from '../../ui/seconds-field.tsx';
import { ShownOnce } from '../../ui/secret.tsx';
import { bundleFiles, type CertificateBundle, certificateSnippets } from './certificate-bundle.ts';
import { createKeyAndRequest } from './certificate-request.ts';
import {
  certificateIssueDocument,
  certificateRenewDocument,
  connectInfoDocument,
} from './credential-documents.ts';
import { SnippetTabs } from './snippet-tabs.tsx';

const overlaps = [
  { seconds: 0, label: 'Not at all' },
  { seconds: 86_400, label: 'For a day' },
  { seconds: 604_800, label: 'For a week' },
  { seconds: 2_592_000, label: 'For 30 days' },
];

type MakeCertificateProps = {
  device: { readonly id: string; readonly key: string };
  /** `browser`: the key is made here; `device`: it is the device's own, and comes as a request. */
  keyFrom: 'browser' | 'device';
  /** The certificate whose place the new one takes. */
  renews?: string;
  onMade: (bundle: CertificateBundle) => void;
  onCancel?: () => void;
};

/** Asks for what a certificate needs, and has it made. A key that is made here goes nowhere but into the bundle. */
export function MakeCertificate({ device, keyFrom, renews, onMade, onCancel }: MakeCertificateProps) {
  const { viewer, config } = useAccount();
  const [{ data: info }] = useQuery({ query: connectInfoDocument });
  const [csr, setCsr] = useState('');
  const [overlapSeconds, setOverlapSeconds] = useState(604_800);
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [, issue] = useMutation(certificateIssueDocument);
  const [, renew] = useMutation(certificateRenewDocument);

  const make = async () => {
    const made = keyFrom === 'browser' ? await createKeyAndRequest() : { csr, privateKey: undefined };
    const { data, error } =
      renews === undefined
        ? await issue({ input: { deviceId: device.id, csr: made.csr } })
        : await renew({ input: { id: renews, csr: made.csr, overlapSeconds } });
    const result =
      data && ('deviceCertificateIssue' in data ? data.deviceCertificateIssue : data.deviceCertificateRenew);
    if (!result || !('certificate' in result)) return setProblem(failureText(result, error));
    onMade({
      ...{ tenant: viewer.tenant.slug, deviceKey: device.key },
      mqttsUrl: info?.connectInfo.mqttsUrl ?? config.mqttUrl,
      ...{ certificate: result.certificate, ca: result.ca, privateKey: made.privateKey },
    });
  };
  const submit = () => {
    setBusy(true);
    make()
      .catch(() => setProblem('This browser could not make a key.'))
      .finally(() => setBusy(false));
  };
  return (
    <DialogForm
      action={renews === undefined ? 'Make certificate' : 'Renew'}
      busy={busy}
      ready={keyFrom === 'browser' || csr.trim() !== ''}
      problem={problem}
      onSubmit={submit}
      onCancel={onCancel}
    >
      {keyFrom === 'browser' ? (
        <p className="text-ink-2 text-sm">
          The key is made in this browser and never sent. You get it once, in a zip with the certificate, the
          platform’s root and programs that use them.
        </p>
      ) : (
        <TextAreaField
          label="Certificate request"
          rows={7}
          required
          placeholder="-----BEGIN CERTIFICATE REQUEST-----"
          hint="PKCS #10 in PEM for an EC P-256 key; the names in it are ignored. openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key -subj /"
          value={csr}
          onChange={(event) => setCsr(event.target.value)}
        />
      )}
      {renews !== undefined && (
        <SecondsField
          label="Keep the current certificate good"
          choices={overlaps}
          value={overlapSeconds}
          onChange={setOverlapSeconds}
        />
      )}
    </DialogForm>
  );
}

/** The bundle to take away, and programs that use it. */
export function CertificateReady({ bundle }: { bundle: CertificateBundle }) {
  const save = async () => {
    const { strToU8, zipSync } = await import('fflate');
    const entries = [...bundleFiles(bundle)].map(([name, text]) => [name, strToU8(text)] as const);
    const zip = zipSync(Object.fromEntries(entries));
    saveFile(`${bundle.deviceKey}.zip`, new Uint8Array(zip), 'application/zip');
  };
  return (
    <>
      {bundle.privateKey !== undefined && <ShownOnce />}
      <Button look="primary" onClick={() => void save()} className="mb-4">
        <Download aria-hidden="true" className="size-4" />
        Download {bundle.deviceKey}.zip
      </Button>
      <p className="mb-2 text-ink-2 text-sm">
        {bundle.privateKey === undefined
          ? 'Put the device’s own key beside these files as device.key. Then, in that folder:'
          : 'Unpacked, in that folder:'}
      </p>
      <SnippetTabs snippets={certificateSnippets(bundle)} />
    </>
  );
}
