import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from './button.tsx';
import { announce } from './toast.tsx';

type CopyButtonProps = { text: string; label: string; withText?: boolean; className?: string };

/** Copies `text`. `label` says what is copied: "Copy device key". */
export function CopyButton({ text, label, withText = false, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied(true),
      () => announce('The browser did not allow copying. Select the text instead.', 'bad'),
    );
  };
  const Icon = copied ? Check : Copy;
  return (
    <Button
      look={withText ? 'plain' : 'quiet'}
      icon={!withText}
      aria-label={withText ? undefined : label}
      title={label}
      onClick={copy}
      className={className}
    >
      <Icon aria-hidden="true" className={copied ? 'size-3.5 text-good' : 'size-3.5'} />
      {withText && (copied ? 'Copied' : label)}
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </Button>
  );
}
