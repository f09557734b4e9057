import { CircleCheck } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useMutation, useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import type { DeviceFilter } from '../../generated/graphql.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import type { BulkSuccess } from '../bulk/bulk-actions.ts';
import { type MigrationStep, migrationDocument, templateMigrateDocument } from './migration-documents.ts';
import { MigrationProgress } from './migration-progress.tsx';
import { MigrationStepPanel } from './migration-step.tsx';
import { templateVersionsDocument } from './template-documents.ts';
import { counted, templatePath } from './template-names.ts';
import { useTemplate } from './template-page.tsx';

/** What moving the devices of a template to one of its versions does, and the move. */
export function TemplateMigration() {
  const template = useTemplate();
  const { key } = template;
  const { viewer } = useAccount();
  const [params, setParams] = useSearchParams();
  const [asked, setAsked] = useState<MigrationStep>();
  const wanted = Number(params.get('to'));
  const toVersion = Number.isSafeInteger(wanted) && wanted > 0 ? wanted : template.version;
  const variables = useMemo(() => ({ key, toVersion }), [key, toVersion]);
  const [{ data, error, stale }, refetch] = useQuery({
    query: migrationDocument,
    variables,
    requestPolicy: 'cache-and-network',
  });
  const [outcome, setOutcome] = useState<BulkSuccess>();
  const [running, setRunning] = useState(false);
  const [, migrate] = useMutation(templateMigrateDocument);
  const settle = useCallback(() => {
    setRunning(false);
    refetch({ requestPolicy: 'network-only' });
  }, [refetch]);
  const preview = data?.templateMigrationPreview;
  const move = async ({ fromVersion }: MigrationStep) => {
    const where: DeviceFilter = { templateKeys: [key], templateVersions: [fromVersion] };
    const answer = await migrate({
      input: {
        ...{ templateKey: key, toVersion },
        target: { where: { ...where, statuses: ['ACTIVE', 'DISABLED'] } },
      },
    });
    const result = answer.data?.outcome;
    if (!result || !('matched' in result)) return failureText(result, answer.error);
    setOutcome(result);
    if (result.job) setRunning(true);
    else settle();
    return undefined;
  };
  return (
    <div className="flex max-w-4xl flex-col gap-4 p-4 sm:p-5">
      <div className="max-w-72">
        <VersionSelect
          templateKey={key}
          value={toVersion}
          onChange={(version) => setParams(version === template.version ? {} : { to: String(version) })}
        />
      </div>
      {outcome && <MigrationProgress outcome={outcome} onSettled={settle} />}
      {error && !preview && (
        <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
      )}
      {!error && data === undefined && <Skeleton className="h-40 rounded-lg" />}
      {data && !preview && (
        <p className="text-ink-2">
          There is no version {toVersion} of this template.{' '}
          <Link to={templatePath(key, 'versions')} className="text-accent underline">
            See its versions
          </Link>
        </p>
      )}
      {preview?.steps.length === 0 && (
        <EmptyState
          icon={CircleCheck}
          title="Nothing to move"
          action={
            <Link to={templatePath(key, 'versions')} className={buttonClass('plain')}>
              See the versions
            </Link>
          }
        >
          No device of this template has another version than {toVersion}.
        </EmptyState>
      )}
      {preview?.steps.map((step) => (
        <MigrationStepPanel
          key={step.fromVersion}
          step={step}
          templateKey={key}
          toVersion={preview.toVersion}
          action={
            mayWriteDevices(viewer.role) && (
              <Button look="primary" disabled={stale || running} onClick={() => setAsked(step)}>
                Move {counted(step.deviceCount, 'device')}
              </Button>
            )
          }
        />
      ))}
      {asked && (
        <ConfirmDialog
          title={`Move ${counted(asked.deviceCount, 'device')} to version ${toVersion}?`}
          description={`They are made of version ${asked.fromVersion} now. Devices that cannot move stay as they are, and are named. They can be moved back.`}
          action="Move"
          look="primary"
          onConfirm={() => move(asked)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

type VersionSelectProps = { templateKey: string; value: number; onChange: (version: number) => void };

function VersionSelect({ templateKey, value, onChange }: VersionSelectProps) {
  const [{ data }] = useQuery({
    query: templateVersionsDocument,
    variables: { key: templateKey, first: 100 },
    requestPolicy: 'cache-and-network',
  });
  const versions = (data?.template?.versions ?? []).map(({ version }) => version);
  const all = versions.includes(value) ? versions : [value, ...versions];
  return (
    <SelectField
      label="Move devices to"
      value={value}
      onChange={(event) => onChange(Number(event.target.value))}
    >
      {all.map((version, index) => (
        <option key={version} value={version}>
          Version {version}
          {index === 0 && versions[0] === version && ' (the newest)'}
        </option>
      ))}
    </SelectField>
  );
}
