import { Tabs } from 'radix-ui';
import { useState } from 'react';
import { CopyButton } from '../../ui/copy-button.tsx';
import type { Snippet } from './snippets.ts';

/** The same program in several languages, one at a time. */
export function SnippetTabs({ snippets }: { snippets: readonly Snippet[] }) {
  const [language, setLanguage] = useState(snippets[0]?.id ?? '');
  const chosen = snippets.find(({ id }) => id === language);
  return (
    <Tabs.Root value={language} onValueChange={setLanguage}>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <Tabs.List aria-label="Language" className="flex flex-wrap gap-1">
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
  );
}
