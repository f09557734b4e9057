import { Download, FileUp, Lock } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import { Link } from 'react-router';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { PageHeader } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { cx } from '../../ui/class-names.ts';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError, SelectField } from '../../ui/field.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { ShownOnce } from '../../ui/secret.tsx';
import { ImportErrors } from './import-errors.tsx';
import { type ExistingChoice, type ImportOutcome, sendImport, type TokenChoice } from './import-request.ts';

const template =
  'key,name,site,tags,serial_number,model,latitude,longitude,expected_interval_seconds,attributes\r\nboiler-room-1,Boiler room,,heating;basement,SN-1,T-100,52.52,13.40,60,"{""floor"": -1}"\r\n';

const existingChoices: Readonly<Record<ExistingChoice, string>> = {
  skip: 'Leave them as they are',
  update: 'Change what the file says',
  fail: 'Report them as errors',
};
const tokenChoices: Readonly<Record<TokenChoice, string>> = {
  none: 'No tokens',
  created: 'A token for each new device',
  all: 'A token for every device of the file',
};

/** Makes many devices from a file: drop it, see what would happen, run it, take the tokens away. */
export function ImportDevices() {
  const { viewer } = useAccount();
  if (mayWriteDevices(viewer.role)) return <Import />;
  return (
    <>
      <PageHeader title="Import devices" />
      <EmptyState
        icon={Lock}
        title="Your role does not allow this"
        action={
          <Link to="/devices" className={buttonClass('plain')}>
            All devices
          </Link>
        }
      >
        An engineer or admin of {viewer.tenant.name} can import devices.
      </EmptyState>
    </>
  );
}

type Result = { readonly dryRun: boolean; readonly outcome: ImportOutcome };

function Import() {
  const { session } = useAccount();
  const [file, setFile] = useState<File>();
  const [existing, setExisting] = useState<ExistingChoice>('skip');
  const [tokens, setTokens] = useState<TokenChoice>('created');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [result, setResult] = useState<Result>();
  const latest = useRef(0);

  const send = async (dryRun: boolean, over: { file?: File; existing?: ExistingChoice } = {}) => {
    const chosen = over.file ?? file;
    if (!chosen) return;
    latest.current += 1;
    const mine = latest.current;
    setBusy(true);
    setProblem(undefined);
    setResult(undefined);
    try {
      const order = { dryRun, existing: over.existing ?? existing, tokens };
      const outcome = await sendImport(session, chosen, order);
      if (mine !== latest.current) return;
      setResult({ dryRun, outcome });
    } catch (error) {
      if (mine === latest.current) setProblem(error instanceof Error ? error.message : String(error));
    } finally {
      if (mine === latest.current) setBusy(false);
    }
  };
  const take = (taken: File) => {
    setFile(taken);
    void send(true, { file: taken });
  };
  const done = result && !result.dryRun;
  const willDo = result ? result.outcome.created + result.outcome.updated : 0;
  return (
    <div className="relative min-h-0 flex-1 overflow-y-auto">
      <PageHeader
        title="Import devices"
        actions={
          <Button onClick={() => saveFile('devices.csv', template, 'text/csv')}>
            <Download aria-hidden="true" className="size-4" />
            Template
          </Button>
        }
      />
      <div className="mx-auto flex max-w-3xl flex-col gap-4 px-4 pb-10 sm:mx-0 sm:px-5">
        <DropZone file={file} onFile={take} />
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label="Devices that exist already"
            value={existing}
            onChange={(event) => {
              const choice = keyOf(existingChoices, event.target.value) ?? 'skip';
              setExisting(choice);
              void send(true, { existing: choice });
            }}
          >
            <Options choices={existingChoices} />
          </SelectField>
          <SelectField
            label="Credentials"
            value={tokens}
            onChange={(event) => setTokens(keyOf(tokenChoices, event.target.value) ?? 'none')}
          >
            <Options choices={tokenChoices} />
          </SelectField>
        </div>
        <FormError message={problem} />
        <div aria-live="polite">
          {busy && <p className="text-ink-2">Reading the file…</p>}
          {result && <Outcome {...result} />}
        </div>
        {done ? (
          <div className="flex flex-wrap gap-2">
            <Link to="/devices" className={buttonClass('primary')}>
              All devices
            </Link>
            <Button
              onClick={() => {
                setFile(undefined);
                setResult(undefined);
              }}
            >
              Import another file
            </Button>
          </div>
        ) : (
          <div className="flex justify-end">
            <Button
              look="primary"
              disabled={!file || busy || !result || (willDo === 0 && tokens !== 'all')}
              onClick={() => void send(false)}
            >
              {willDo > 0
                ? `Import ${willDo.toLocaleString()} ${willDo === 1 ? 'device' : 'devices'}`
                : 'Import'}
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}

function DropZone({ file, onFile }: { file: File | undefined; onFile: (file: File) => void }) {
  const [over, setOver] = useState(false);
  return (
    <label
      className={cx(
        'flex cursor-pointer flex-col items-center gap-1 rounded-lg border border-dashed px-4 py-8 text-center focus-within:outline-2 focus-within:outline-accent',
        over ? 'border-accent bg-accent-soft' : 'border-line-strong bg-surface',
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const [dropped] = event.dataTransfer.files;
        if (dropped) onFile(dropped);
      }}
    >
      <FileUp aria-hidden="true" className="size-6 text-ink-3" />
      <span className="font-medium">{file ? file.name : 'Drop a file here, or choose one'}</span>
      <span className="text-ink-2 text-sm">
        {file ? 'Choose another one' : 'CSV with a column “key”; up to 10 000 rows and 5 MB'}
      </span>
      <input
        type="file"
        accept=".csv,text/csv"
        aria-label="File of devices"
        className="sr-only"
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          if (chosen) onFile(chosen);
          event.target.value = '';
        }}
      />
    </label>
  );
}

function Outcome({ dryRun, outcome }: Result) {
  const { credentials, errors } = outcome;
  return (
    <section
      aria-label={dryRun ? 'Preview' : 'Outcome'}
      className="rounded-lg border border-line bg-surface shadow-1"
    >
      <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-t-lg sm:grid-cols-4">
        <Count name={dryRun ? 'To be made' : 'Made'} value={outcome.created} />
        <Count name={dryRun ? 'To be changed' : 'Changed'} value={outcome.updated} />
        <Count name="Left alone" value={outcome.skipped} />
        <Count name="With errors" value={outcome.failed} bad={outcome.failed > 0} />
      </dl>
      {credentials !== null && credentials.split('\r\n').length > 2 && (
        <div className="border-line border-t p-4">
          <ShownOnce />
          <Button look="primary" onClick={() => saveFile('device-credentials.csv', credentials, 'text/csv')}>
            <Download aria-hidden="true" className="size-4" />
            Download credentials
          </Button>
        </div>
      )}
      {errors.length > 0 && <ImportErrors errors={errors} leftOut={outcome.errors_left_out} />}
    </section>
  );
}

function Count({ name, value, bad = false }: { name: string; value: number; bad?: boolean }) {
  return (
    <div className="px-4 py-3">
      <dt className="text-ink-3 text-sm">{name}</dt>
      <dd className={cx('font-semibold text-xl tabular-nums', bad && 'text-bad')}>
        {value.toLocaleString()}
      </dd>
    </div>
  );
}

function Options({ choices }: { choices: Readonly<Record<string, string>> }): ReactNode {
  return Object.entries(choices).map(([value, label]) => (
    <option key={value} value={value}>
      {label}
    </option>
  ));
}

const keyOf = <Key extends string>(
  choices: Readonly<Record<Key, string>>,
  value: string,
): Key | undefined => {
  for (const key in choices) if (key === value) return key;
  return undefined;
};
