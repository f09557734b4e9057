import type { RowError } from './import-request.ts';

/** What is wrong, row by row. */
export function ImportErrors({ errors, leftOut }: { errors: readonly RowError[]; leftOut: number }) {
  return (
    <section
      className="max-h-80 overflow-auto border-line border-t"
      aria-label="Errors by row"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
    >
      <table className="w-full text-left text-sm">
        <thead className="sticky top-0 bg-surface text-ink-3">
          <tr>
            <th className="px-4 py-2 font-medium">Row</th>
            <th className="px-2 py-2 font-medium">Key</th>
            <th className="px-2 py-2 font-medium">Column</th>
            <th className="px-4 py-2 font-medium">What is wrong</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {errors.map(({ row, key, column, code, message }) => (
            <tr key={`${row} ${column} ${code}`}>
              <td className="px-4 py-1.5 tabular-nums">{row}</td>
              <td className="break-all px-2 py-1.5 font-mono text-xs">{key}</td>
              <td className="px-2 py-1.5 font-mono text-xs">{column}</td>
              <td className="px-4 py-1.5">{message}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {leftOut > 0 && <p className="px-4 py-2 text-ink-2 text-sm">and {leftOut.toLocaleString()} more</p>}
    </section>
  );
}
