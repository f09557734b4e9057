import { Ellipsis, Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/menu.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { linkNames, protocolNames } from '../templates/template-names.ts';
import type { DeviceParts, Transport } from './parts-documents.ts';
import { DeleteTransport, TransportDrawer } from './transport-dialogs.tsx';

type Open = { readonly what: 'new' } | { readonly what: 'edit' | 'delete'; readonly transport: Transport };

/** The ways by which the device speaks. */
export function TransportsPanel({ device, mayWrite }: { device: DeviceParts; mayWrite: boolean }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <Panel
      title="Transports"
      actions={
        mayWrite && (
          <Button onClick={() => setOpen({ what: 'new' })}>
            <Plus aria-hidden="true" className="size-4" />
            Add transport
          </Button>
        )
      }
    >
      {device.transports.length === 0 ? (
        <PanelEmpty>Nobody has said by which way this device speaks.</PanelEmpty>
      ) : (
        <ul className="divide-y divide-line">
          {device.transports.map((transport) => (
            <li key={transport.id} className="flex min-h-12 items-center gap-3 py-1.5 pr-1.5 pl-3.5">
              <span className="min-w-0 flex-1">
                <span className="flex flex-wrap items-center gap-x-2">
                  {protocolNames[transport.protocol]}
                  {transport.link && <span className="text-ink-2">over {linkNames[transport.link]}</span>}
                  {transport.isPrimary && <StatusBadge shape="disc" tone="good" label="First" soft />}
                </span>
                {Object.keys(Object(transport.settings)).length > 0 && (
                  <span className="block truncate font-mono text-ink-3 text-xs">
                    {JSON.stringify(transport.settings)}
                  </span>
                )}
              </span>
              {mayWrite && (
                <Menu
                  align="end"
                  trigger={
                    <Button
                      look="quiet"
                      icon
                      aria-label={`Actions for the transport ${protocolNames[transport.protocol]}`}
                    >
                      <Ellipsis aria-hidden="true" className="size-4" />
                    </Button>
                  }
                >
                  <MenuItem onSelect={() => setOpen({ what: 'edit', transport })}>Edit…</MenuItem>
                  <MenuLine />
                  <MenuItem danger onSelect={() => setOpen({ what: 'delete', transport })}>
                    Delete…
                  </MenuItem>
                </Menu>
              )}
            </li>
          ))}
        </ul>
      )}
      {open?.what === 'new' && <TransportDrawer device={device} onClose={close} />}
      {open?.what === 'edit' && (
        <TransportDrawer device={device} transport={open.transport} onClose={close} />
      )}
      {open?.what === 'delete' && <DeleteTransport transport={open.transport} onClose={close} />}
    </Panel>
  );
}
