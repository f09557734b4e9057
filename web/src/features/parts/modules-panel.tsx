import { Ellipsis, Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { interfaceNames } from '../templates/template-names.ts';
import { EditModule, InstallModule, RemoveModule } from './module-dialogs.tsx';
import type { DeviceParts, Module, Slot } from './parts-documents.ts';
import { TemplateDrawer } from './template-drawer.tsx';

type Open =
  | { readonly what: 'template' }
  | { readonly what: 'install'; readonly slot: Slot }
  | { readonly what: 'edit' | 'remove'; readonly module: Module };

/** The slots of the device, what is in them, and what goes into those that are free. */
export function ModulesPanel({ device, mayWrite }: { device: DeviceParts; mayWrite: boolean }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const { slots, modules } = device;
  const slotOf = (module: Module) => slots.find(({ key }) => key === module.slot);
  return (
    <Panel title="Modules" note={modules.length}>
      {slots.length === 0 ? (
        <NoSlots device={device} {...(mayWrite ? { onTemplate: () => setOpen({ what: 'template' }) } : {})} />
      ) : (
        <ul className="divide-y divide-line">
          {slots.map((slot) => (
            <SlotRow
              key={slot.key}
              slot={slot}
              modules={modules.filter((module) => module.slot === slot.key)}
              {...(mayWrite ? { onOpen: setOpen } : {})}
            />
          ))}
        </ul>
      )}
      {open?.what === 'template' && <TemplateDrawer device={device} onClose={close} />}
      {open?.what === 'install' && <InstallModule device={device} slot={open.slot} onClose={close} />}
      {open?.what === 'edit' && (
        <EditModule device={device} module={open.module} slot={slotOf(open.module)} onClose={close} />
      )}
      {open?.what === 'remove' && <RemoveModule module={open.module} onClose={close} />}
    </Panel>
  );
}

function NoSlots({ device, onTemplate }: { device: DeviceParts; onTemplate?: () => void }) {
  if (device.template) {
    return <PanelEmpty>The template {device.template.name} has no slots for modules.</PanelEmpty>;
  }
  return (
    <PanelEmpty action={onTemplate && <Button onClick={onTemplate}>Choose a template</Button>}>
      Modules go into the slots that a device’s template has; here there are none.
    </PanelEmpty>
  );
}

type SlotRowProps = { slot: Slot; modules: readonly Module[]; onOpen?: (open: Open) => void };

function SlotRow({ slot, modules, onOpen }: SlotRowProps) {
  const free = slot.maxDevices - modules.length;
  const fits = slot.compatibleTemplates.join(', ') || 'any sensor or expansion module';
  return (
    <li data-slot={slot.key} className="py-2 pr-1.5 pl-3.5">
      <div className="flex min-h-8 flex-wrap items-center gap-x-2.5">
        <h3 className="font-medium">{slot.name}</h3>
        <span className="text-ink-3 text-sm">
          {interfaceNames[slot.interface]} · {modules.length} of {slot.maxDevices} in use
        </span>
        {slot.required && modules.length === 0 && (
          <StatusBadge shape="triangle" tone="warn" label="Needs a module" soft />
        )}
        {onOpen && free > 0 && (
          <Button
            className="ml-auto"
            aria-label={`Install a module into ${slot.name}`}
            onClick={() => onOpen({ what: 'install', slot })}
          >
            <Plus aria-hidden="true" className="size-4" />
            Install
          </Button>
        )}
      </div>
      {free > 0 && <p className="text-ink-3 text-sm">Fits: {fits}</p>}
      {modules.length > 0 && (
        <ul className="mt-1.5 flex flex-col gap-1.5">
          {modules.map((module) => (
            <ModuleRow key={module.id} module={module} {...(onOpen ? { onOpen } : {})} />
          ))}
        </ul>
      )}
    </li>
  );
}

function ModuleRow({ module, onOpen }: { module: Module; onOpen?: (open: Open) => void }) {
  const facts = [
    module.serialNumber && `serial ${module.serialNumber}`,
    module.busAddress && `address ${module.busAddress}`,
  ].filter(Boolean);
  return (
    <li className="flex min-h-11 items-center gap-3 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{module.name}</span>
        <span className="block truncate text-ink-3 text-xs">
          {facts.map((fact) => `${fact} · `)}
          installed <RelativeTime at={module.installedAt} />
        </span>
      </span>
      {onOpen && (
        <Menu
          align="end"
          trigger={
            <Button look="quiet" icon aria-label={`Actions for ${module.name}`}>
              <Ellipsis aria-hidden="true" className="size-4" />
            </Button>
          }
        >
          <MenuItem onSelect={() => onOpen({ what: 'edit', module })}>Edit…</MenuItem>
          <MenuLine />
          <MenuItem danger onSelect={() => onOpen({ what: 'remove', module })}>
            Take out…
          </MenuItem>
        </Menu>
      )}
    </li>
  );
}
