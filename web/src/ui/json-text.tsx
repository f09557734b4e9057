/** A JSON value as text, broken where the line ends. */
export function JsonText({ value }: { value: unknown }) {
  return (
    <pre className="whitespace-pre-wrap break-words px-3.5 py-3 font-mono text-sm">
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}
