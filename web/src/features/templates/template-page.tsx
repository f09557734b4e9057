import { ChevronRight, Copy, Download, Ellipsis, Lock, Pencil, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link, Outlet, useOutletContext, useParams } from 'react-router';
import { useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { describeError } from '../../data/client.ts';
import { NoSuch } from '../../shell/no-such.tsx';
import { PageSkeleton, usePageTitle } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { TabLinks } from '../../ui/tab-links.tsx';
import { announce } from '../../ui/toast.tsx';
import { CloneTemplate, DeleteTemplate } from './template-dialogs.tsx';
import { type Template, templateDocument, templateJsonDocument } from './template-documents.ts';
import { categoryNames, templatePath, usesText } from './template-names.ts';

/** The template whose page this is. */
export const useTemplate = (): Template => useOutletContext<Template>();

/** One template: what it says, and what it said before. */
export function TemplatePage() {
  const { key = '' } = useParams();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: templateDocument,
    variables: { key },
    requestPolicy: 'cache-and-network',
  });
  const template = data?.template;
  usePageTitle(template?.name ?? key);
  if (!template && fetching) return <PageSkeleton />;
  if (!template && error)
    return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (!template) {
    return (
      <NoSuch what="template" list="/templates">
        There is no template with the key <span className="font-mono">{key}</span>.
      </NoSuch>
    );
  }
  return (
    <div className="relative min-h-0 flex-1 overflow-y-auto">
      <TemplateHeader template={template} />
      <TabLinks
        label="Template"
        className="mt-4"
        tabs={[
          { to: templatePath(template.key), label: 'Definition', end: true },
          { to: templatePath(template.key, 'versions'), label: 'Versions' },
          { to: templatePath(template.key, 'migration'), label: 'Migration' },
        ]}
      />
      <Outlet context={template} />
    </div>
  );
}

function TemplateHeader({ template }: { template: Template }) {
  const { viewer } = useAccount();
  return (
    <header className="px-4 pt-3 sm:px-5">
      <nav aria-label="Breadcrumb" className="flex items-center gap-1 text-ink-3 text-sm">
        <Link to="/templates" className="rounded-sm hover:text-ink hover:underline">
          Templates
        </Link>
        <ChevronRight aria-hidden="true" className="size-3.5" />
        <span className="truncate font-mono text-xs">{template.key}</span>
      </nav>
      <div className="mt-0.5 flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="break-words font-semibold text-xl">{template.name}</h1>
          <p className="flex flex-wrap items-center gap-x-2 text-ink-2 text-sm">
            {categoryNames[template.category]} · version {template.version} · {usesText(template)}
            {template.source === 'SYSTEM' && (
              <span className="inline-flex items-center gap-1">
                <Lock aria-hidden="true" className="size-3.5" />
                of the platform; copy it to change it
              </span>
            )}
          </p>
          {template.description && (
            <p className="mt-1 max-w-2xl text-ink-2 text-sm">{template.description}</p>
          )}
        </div>
        <TemplateActions template={template} mayWrite={mayWriteDevices(viewer.role)} />
      </div>
    </header>
  );
}

function TemplateActions({ template, mayWrite }: { template: Template; mayWrite: boolean }) {
  const { direct } = useAccount();
  const [open, setOpen] = useState<'clone' | 'delete'>();
  const close = () => setOpen(undefined);
  const own = template.source === 'TENANT';
  const save = async () => {
    const { data, error } = await direct.query(templateJsonDocument, { key: template.key });
    if (data?.template) {
      saveFile(`${template.key}.json`, JSON.stringify(data.template.json, null, 2), 'application/json');
    } else announce(error ? describeError(error).message : 'The template is gone.', 'bad');
  };
  return (
    <div className="flex flex-wrap gap-2">
      {mayWrite && template.category !== 'EXPANSION_MODULE' && (
        <Link
          to={`/new-device?template=${encodeURIComponent(template.key)}`}
          className={buttonClass('primary')}
        >
          <Plus aria-hidden="true" className="size-3.5" />
          New device
        </Link>
      )}
      {mayWrite && own && (
        <Link to={templatePath(template.key, 'edit')} className={buttonClass('plain')}>
          <Pencil aria-hidden="true" className="size-3.5" />
          Edit
        </Link>
      )}
      {mayWrite && (
        <Button onClick={() => setOpen('clone')}>
          <Copy aria-hidden="true" className="size-3.5" />
          Copy
        </Button>
      )}
      <Button onClick={() => void save()}>
        <Download aria-hidden="true" className="size-3.5" />
        Export
      </Button>
      {mayWrite && own && (
        <Menu
          align="end"
          trigger={
            <Button icon aria-label="More actions">
              <Ellipsis aria-hidden="true" className="size-4" />
            </Button>
          }
        >
          <MenuItem danger onSelect={() => setOpen('delete')}>
            Delete…
          </MenuItem>
        </Menu>
      )}
      {open === 'clone' && <CloneTemplate template={template} onClose={close} />}
      {open === 'delete' && <DeleteTemplate template={template} onClose={close} />}
    </div>
  );
}
