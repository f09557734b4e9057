import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import type { QuarantineFix } from '../../generated/graphql.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { SelectField, TextAreaField } from '../../ui/field.tsx';
import { discardDocument, replayDocument } from './documents.ts';
import { type QuarantineView, reasonOf, toTargetFilter } from './quarantine-view.ts';

const rules = ['NONE', 'REMOVE', 'PATCH'] as const;
type Rule = (typeof rules)[number];
type BulkDialogProps = {
  action: 'REPLAY' | 'DISCARD';
  view: QuarantineView;
  onStarted: (job: string) => void;
  onClose: () => void;
};

const example = '[{ "op": "move", "from": "/metrics/bad key", "path": "/metrics/good_key" }]';

/** Everything open that the view shows, sent again or given up; first as a dry run. */
export function BulkDialog({ action, view, onStarted, onClose }: BulkDialogProps) {
  const [rule, setRule] = useState<Rule>('NONE');
  const [steps, setSteps] = useState('');
  const [tried, setTried] = useState<readonly string[]>();
  const [problem, setProblem] = useState<string>();
  const [{ fetching: replaying }, replay] = useMutation(replayDocument);
  const [{ fetching: discarding }, discard] = useMutation(discardDocument);
  const target = { where: toTargetFilter(view) };
  const run = async (dryRun: boolean) => {
    setProblem(undefined);
    const fix = readFix(rule, steps);
    if (fix === 'WRONG') {
      setProblem('The steps are no JSON.');
      return;
    }
    const result =
      action === 'DISCARD'
        ? await discard({ input: { target, dryRun } }).then(({ data, error }) => ({
            outcome: data?.quarantineDiscard,
            error,
          }))
        : await replay({ input: { target, dryRun, ...(fix ? { fix } : {}) } }).then(({ data, error }) => ({
            outcome: data?.quarantineReplay,
            error,
          }));
    const { outcome, error } = result;
    if (
      outcome?.__typename !== 'QuarantineReplaySuccess' &&
      outcome?.__typename !== 'QuarantineDiscardSuccess'
    ) {
      setProblem(failureText(outcome, error));
      return;
    }
    if (outcome.job) onStarted(outcome.job.id);
    else
      setTried(
        summarise(outcome.matched, outcome.__typename === 'QuarantineReplaySuccess' ? outcome.forecasts : []),
      );
  };
  const change = (next: () => void) => {
    setTried(undefined);
    next();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={action === 'REPLAY' ? 'Send everything again?' : 'Discard everything?'}
      description="Every open message that the filters show, whether or not it is in sight."
    >
      <DialogForm
        action={tried ? (action === 'REPLAY' ? 'Send again' : 'Discard') : 'Dry run'}
        look={tried ? (action === 'REPLAY' ? 'primary' : 'danger') : 'plain'}
        busy={replaying || discarding}
        problem={problem}
        onSubmit={() => void run(tried === undefined)}
        onCancel={onClose}
      >
        {action === 'REPLAY' && (
          <SelectField
            label="Payloads"
            value={rule}
            onChange={(event) =>
              change(() => setRule(rules.find((each) => each === event.target.value) ?? 'NONE'))
            }
          >
            <option value="NONE">as they came</option>
            <option value="REMOVE">without the field that is wrong</option>
            <option value="PATCH">changed by a JSON Patch</option>
          </SelectField>
        )}
        {rule === 'PATCH' && (
          <TextAreaField
            label="Steps"
            hint={`RFC 6902: ${example}`}
            rows={5}
            value={steps}
            onChange={(event) => change(() => setSteps(event.target.value))}
          />
        )}
        {tried && (
          <div role="status" className="rounded-md border border-line bg-sunken p-3 text-sm">
            {tried.map((line) => (
              <p key={line}>{line}</p>
            ))}
          </div>
        )}
      </DialogForm>
    </Dialog>
  );
}

function readFix(rule: Rule, steps: string): QuarantineFix | undefined | 'WRONG' {
  if (rule === 'NONE') return undefined;
  if (rule === 'REMOVE') return { patch: { removeField: true } };
  try {
    return { patch: { steps: JSON.parse(steps) as unknown } };
  } catch {
    return 'WRONG';
  }
}

type Forecast = {
  readonly outcome: string;
  readonly reason?: string | null;
  readonly detail?: string | null;
};

/** What a dry run said, in lines. */
function summarise(matched: number, forecasts: readonly Forecast[]): string[] {
  const what = (forecast: Forecast) => {
    if (forecast.outcome === 'WOULD_BE_ACCEPTED') return 'would be accepted';
    if (forecast.outcome === 'CANNOT_BE_FIXED') return `stay as they are: ${forecast.detail ?? ''}`;
    return `would be turned away again: ${reasonOf(forecast.reason ?? '')}`;
  };
  const times = new Map<string, number>();
  for (const forecast of forecasts) times.set(what(forecast), (times.get(what(forecast)) ?? 0) + 1);
  const counts = [...times].map(([text, count]) => `${count} ${text}`);
  const looked =
    forecasts.length < matched && forecasts.length > 0 ? [`Of the first ${forecasts.length}:`] : [];
  return [`Open messages that match: ${matched.toLocaleString()}`, ...looked, ...counts];
}
