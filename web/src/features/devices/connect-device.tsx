import { Check } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { type ReactNode, useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useAccount } from '../../auth/viewer.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { devicePath } from './device-link.ts';
import { FirstMessage } from './first-message.tsx';
import { buildSnippets } from './snippets.ts';

/** A device just created, and the secret that is shown this once. */
export type NewDeviceAccess = {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly username: string;
  readonly secret: string;
};

/** The token, the commands that use it, and the wait for what they send. */
export function ConnectDevice({ access, onAnother }: { access: NewDeviceAccess; onAnother: () => void }) {
  const { viewer, config } = useAccount();
  const tenant = viewer.tenant.slug;
  const snippets = useMemo(
    () =>
      buildSnippets({
        mqttUrl: config.mqttUrl,
        httpUrl: config.httpUrl,
        tenant,
        deviceKey: access.key,
        username: access.username,
        secret: access.secret,
      }),
    [config.mqttUrl, config.httpUrl, tenant, access],
  );
  const [language, setLanguage] = useState('mosquitto');
  const chosen = snippets.find(({ id }) => id === language);
  return (
    <ol className="flex flex-col gap-4">
      <Step done title="Keep the token">
        <ShownOnce />
        <Secrets>
          <Secret name="User name" value={access.username} />
          <Secret name="Token" value={access.secret} testId="device-token" />
        </Secrets>
      </Step>
      <Step title="Send a first message">
        <Tabs.Root value={language} onValueChange={setLanguage}>
          <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
            <Tabs.List aria-label="Language" className="flex gap-1">
              {snippets.map(({ id, title }) => (
                <Tabs.Trigger
                  key={id}
                  value={id}
                  className="h-7 rounded-md px-2.5 text-ink-2 text-sm hover:bg-hover data-[state=active]:bg-accent-soft data-[state=active]:font-semibold data-[state=active]:text-accent"
                >
                  {title}
                </Tabs.Trigger>
              ))}
            </Tabs.List>
            {chosen && <CopyButton key={chosen.id} text={chosen.code} label="Copy" withText />}
          </div>
          {snippets.map(({ id, code }) => (
            <Tabs.Content key={id} value={id} asChild>
              <pre className="overflow-x-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5">
                {code}
              </pre>
            </Tabs.Content>
          ))}
        </Tabs.Root>
      </Step>
      <Step title="Watch it arrive">
        <FirstMessage deviceId={access.id} />
        <div className="mt-4 flex flex-wrap gap-2">
          <Link to={devicePath(access.key)} className={buttonClass('primary')}>
            Open {access.name}
          </Link>
          <Button onClick={onAnother}>Add another</Button>
        </div>
      </Step>
    </ol>
  );
}

function Step({ title, done = false, children }: { title: string; done?: boolean; children: ReactNode }) {
  return (
    <li className="min-w-0 rounded-lg border border-line bg-surface p-4 shadow-1 sm:p-5">
      <h2 className="mb-2 flex items-center gap-2 font-semibold text-lg">
        {title}
        {done && <Check aria-label="ready" className="size-4 text-good" />}
      </h2>
      {children}
    </li>
  );
}
