import { useState } from 'react';
import { useClient, useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { diffJson, readJsonObject } from '../../data/json-diff.ts';
import { Button } from '../../ui/button.tsx';
import { FormError, TextAreaField } from '../../ui/field.tsx';
import { JsonChanges } from '../../ui/json-changes.tsx';
import { announce } from '../../ui/toast.tsx';
import { type Shadow, shadowDocument, shadowUpdateDocument } from './shadow-documents.ts';
import { jsonText } from './shadow-view.ts';

type DesiredEditorProps = {
  deviceId: string;
  /** As it is now: it may change while somebody edits. */
  shadow: Shadow;
  /** What the text begins with. */
  start: unknown;
  onClose: () => void;
};

/** Edits what a device should be, on top of one version. Somebody else's change in between is shown, and overwrites nothing. */
export function DesiredEditor({ deviceId, shadow, start, onClose }: DesiredEditorProps) {
  const client = useClient();
  const [base, setBase] = useState({ version: shadow.desiredVersion, document: shadow.desired });
  const [text, setText] = useState(() => jsonText(start));
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, update] = useMutation(shadowUpdateDocument);
  const read = readJsonObject(text);
  const changes = 'value' in read ? diffJson(shadow.desired, read.value) : [];
  const overtaken = shadow.desiredVersion > base.version;
  const save = async () => {
    if ('problem' in read || fetching || overtaken) return;
    setProblem(undefined);
    const input = { deviceId, desired: read.value, expectedVersion: base.version };
    const { data, error } = await update({ input });
    const result = data?.shadowUpdate;
    if (result?.__typename === 'ShadowUpdateSuccess') {
      announce(`Version ${result.device.shadow.desiredVersion} is desired now.`);
      onClose();
    } else if (result?.__typename === 'ConflictError' && result.currentVersion !== base.version) {
      await client.query(shadowDocument, { id: deviceId }, { requestPolicy: 'network-only' }).toPromise();
    } else setProblem(failureText(result, error));
  };
  return (
    <form
      className="flex flex-col gap-3 p-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextAreaField
        label="Desired state"
        rows={Math.min(24, Math.max(8, text.split('\n').length + 1))}
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        error={'problem' in read ? read.problem : undefined}
        hint={`A JSON object, on top of version ${base.version}. What is left out is not desired any more.`}
      />
      {overtaken && (
        <Overtaken
          base={base.document}
          shadow={shadow}
          onKeep={() => setBase({ version: shadow.desiredVersion, document: shadow.desired })}
          onTake={onClose}
        />
      )}
      {!overtaken && 'value' in read && (
        <section aria-label="What will change" className="rounded-md border border-line">
          <h3 className="border-line border-b px-3.5 py-1.5 text-ink-3 text-xs">What will change</h3>
          {changes.length === 0 ? (
            <p className="px-3.5 py-2 text-ink-2 text-sm">Nothing yet.</p>
          ) : (
            <JsonChanges changes={changes} before="desired now" after="desired then" />
          )}
        </section>
      )}
      <FormError message={problem} />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          look="primary"
          type="submit"
          disabled={fetching || overtaken || 'problem' in read || changes.length === 0}
        >
          Save
        </Button>
      </div>
    </form>
  );
}

type OvertakenProps = { base: unknown; shadow: Shadow; onKeep: () => void; onTake: () => void };

function Overtaken({ base, shadow, onKeep, onTake }: OvertakenProps) {
  return (
    <section aria-label="Changed meanwhile" className="rounded-md border border-warn">
      <p role="alert" className="bg-warn-soft px-3.5 py-2 text-sm">
        Somebody changed it meanwhile: version {shadow.desiredVersion}. Your text is kept; nothing was saved.
      </p>
      <JsonChanges
        changes={diffJson(base, shadow.desired)}
        before="what you began with"
        after="what is desired now"
      />
      <div className="flex flex-wrap gap-2 border-line border-t px-3.5 py-2">
        <Button onClick={onKeep}>Go on with my text</Button>
        <Button onClick={onTake}>Discard mine</Button>
      </div>
    </section>
  );
}
