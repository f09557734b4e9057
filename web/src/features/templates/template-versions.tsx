import { useState } from 'react';
import { useQuery } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { describeError } from '../../data/client.ts';
import { Button } from '../../ui/button.tsx';
import { cx } from '../../ui/class-names.ts';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { announce } from '../../ui/toast.tsx';
import { TemplateChanges } from './template-changes.tsx';
import { type TemplateVersionRow, templateVersionsDocument } from './template-documents.ts';
import { usesText } from './template-names.ts';
import { useTemplate } from './template-page.tsx';

const pageSize = 50;

/** What a template said before, and what each version changed. */
export function TemplateVersions() {
  const { key } = useTemplate();
  const { direct } = useAccount();
  const [chosen, setChosen] = useState<number>();
  const [older, setOlder] = useState<readonly TemplateVersionRow[]>();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: templateVersionsDocument,
    variables: { key, first: pageSize },
    requestPolicy: 'cache-and-network',
  });
  const newest = data?.template?.versions ?? [];
  const versions = [...newest, ...(older ?? [])];
  if (error && newest.length === 0)
    return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (fetching && newest.length === 0) return <Skeleton className="m-5 h-40 rounded-lg" />;
  const more = versions.length > 0 && versions.length % pageSize === 0;
  const loadOlder = async () => {
    const before = versions.at(-1)?.version;
    const answer = await direct.query(templateVersionsDocument, {
      ...{ key, first: pageSize },
      ...(before !== undefined && { before }),
    });
    if (answer.error) announce(describeError(answer.error).message, 'bad');
    else setOlder([...(older ?? []), ...(answer.data?.template?.versions ?? [])]);
  };
  const found = versions.findIndex(({ version }) => version === chosen);
  const at = Math.max(0, found);
  const current = versions[at];
  const previous = versions[at + 1];
  return (
    <div className="grid gap-4 p-4 sm:p-5 lg:grid-cols-[20rem_minmax(0,1fr)] lg:items-start">
      <div className="flex flex-col gap-2">
        <ul
          aria-label="Versions"
          className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface shadow-1"
        >
          {versions.map((row) => (
            <Version
              key={row.version}
              row={row}
              chosen={row.version === current?.version}
              onChoose={() => setChosen(row.version)}
            />
          ))}
        </ul>
        {more && <Button onClick={() => void loadOlder()}>Older versions</Button>}
      </div>
      {current && previous && (
        <TemplateChanges templateKey={key} from={previous.version} to={current.version} />
      )}
      {current && !previous && (
        <p className="text-ink-2">
          {more ? 'Load older versions to see what this one changed.' : 'The first version that is kept.'}
        </p>
      )}
    </div>
  );
}

type VersionProps = { row: TemplateVersionRow; chosen: boolean; onChoose: () => void };

function Version({ row, chosen, onChoose }: VersionProps) {
  return (
    <li>
      <button
        type="button"
        aria-pressed={chosen}
        onClick={onChoose}
        className={cx('block w-full px-3.5 py-2 text-left hover:bg-hover', chosen && 'bg-accent-soft')}
      >
        <span className="font-medium">Version {row.version}</span>
        <span className="block break-words text-ink-3 text-sm">
          <RelativeTime at={row.createdAt} /> by {row.createdBy}
        </span>
        <span className="block text-ink-2 text-sm">{usesText(row)}</span>
      </button>
    </li>
  );
}
