import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { readJsonObject } from '../../data/json-diff.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FormError, TextAreaField, TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type Template,
  templateCloneDocument,
  templateDeleteDocument,
  templateImportDocument,
} from './template-documents.ts';
import { templatePath } from './template-names.ts';

/** Makes the tenant's own copy of a template. */
export function CloneTemplate({ template, onClose }: { template: Template; onClose: () => void }) {
  const navigate = useNavigate();
  const [key, setKey] = useState(`${template.key}-copy`);
  const [name, setName] = useState(`${template.name} (copy)`);
  const [, clone] = useMutation(templateCloneDocument);
  const confirm = async () => {
    const { data, error } = await clone({ input: { id: template.id, key: key.trim(), name: name.trim() } });
    const result = data?.templateClone;
    if (result?.__typename === 'TemplateCloneSuccess') {
      announce(`${result.template.name} is yours to change.`);
      navigate(templatePath(result.template.key));
      return undefined;
    }
    return failureText(result, error);
  };
  return (
    <ConfirmDialog
      title={`Copy ${template.name}`}
      description="Metrics, commands, slots and transports come along. The copy is yours to change."
      action="Copy"
      look="primary"
      onConfirm={confirm}
      onClose={onClose}
    >
      <TextField
        label="Key"
        mono
        required
        hint="Letters a to z, digits and dashes; never changes."
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <TextField label="Name" required value={name} onChange={(event) => setName(event.target.value)} />
    </ConfirmDialog>
  );
}

/** Deletes a template of the tenant's own, which the API refuses while anything is made of it. */
export function DeleteTemplate({ template, onClose }: { template: Template; onClose: () => void }) {
  const navigate = useNavigate();
  const [, remove] = useMutation(templateDeleteDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: template.id } });
    const result = data?.templateDelete;
    if (result?.__typename === 'TemplateDeleteSuccess') {
      announce(`${template.name} is deleted.`);
      navigate('/templates', { replace: true });
      return undefined;
    }
    return failureText(result, error);
  };
  return (
    <ConfirmDialog
      title={`Delete ${template.name}?`}
      description="All of its versions go. A template that a device or module is made of cannot be deleted."
      action="Delete"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

/** Makes a template of a file or a pasted text. */
export function ImportTemplate({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [key, setKey] = useState('');
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, importOne] = useMutation(templateImportDocument);
  const take = async (file: File | undefined) => {
    if (file) setText(await file.text());
  };
  const submit = async () => {
    if (fetching) return;
    const read = readJsonObject(text);
    if ('problem' in read) {
      setProblem(read.problem);
      return;
    }
    const { data, error } = await importOne({
      input: { document: read.value, ...(key.trim() !== '' && { key: key.trim() }) },
    });
    const result = data?.templateImport;
    if (result?.__typename === 'TemplateImportSuccess') {
      announce(`${result.template.name} is imported.`);
      onClose();
      navigate(templatePath(result.template.key));
    } else setProblem(failureText(result, error));
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Import a template"
      description="A file that Export made, here or on another platform."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label="File"
          type="file"
          accept="application/json,.json"
          className="py-1"
          onChange={(event) => void take(event.target.files?.[0])}
        />
        <TextAreaField
          label="Document"
          rows={10}
          required
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <TextField
          label="Key"
          mono
          optional
          hint="Instead of the one in the document."
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
        <div className="whitespace-pre-line">
          <FormError message={problem} />
        </div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={fetching || text.trim() === ''}>
            Import
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
