import type { UseFormReturn } from 'react-hook-form';
import { TextField } from '../../ui/field.tsx';
import { mappingRules } from './metric-map-form.ts';
import type { ModuleValues } from './module-form.ts';

/** What becomes of each metric of a module: how the device calls it, what it is stored as, how its number is changed. */
export function ModuleMetrics({ form }: { form: UseFormReturn<ModuleValues> }) {
  const rows = form.watch('metricMap');
  const { errors } = form.formState;
  if (rows.length === 0) return null;
  return (
    <div className="flex flex-col gap-3">
      <div>
        <h3 className="font-medium text-sm">Its metrics</h3>
        <p className="text-ink-3 text-xs">
          Stored = what is sent × scale + offset. No two things of a device are stored under one name.
        </p>
      </div>
      {rows.map((row, index) => {
        const at = errors.metricMap?.[index];
        return (
          <fieldset key={row.templateMetric} className="min-w-0 rounded-lg border border-line p-3 pt-1">
            <legend className="px-1 text-ink-2 text-sm">{row.label}</legend>
            <div className="grid grid-cols-2 gap-3">
              <TextField
                label="The device sends"
                mono
                error={at?.raw?.message}
                {...form.register(`metricMap.${index}.raw`, {
                  validate: (text) => mappingRules.name(text, undefined),
                })}
              />
              <TextField
                label="It is stored as"
                mono
                error={at?.metric?.message}
                {...form.register(`metricMap.${index}.metric`, {
                  validate: (text) => mappingRules.name(text, undefined),
                })}
              />
              <TextField
                label="Scale"
                inputMode="decimal"
                error={at?.scale?.message}
                {...form.register(`metricMap.${index}.scale`, { validate: mappingRules.scale })}
              />
              <TextField
                label="Offset"
                inputMode="decimal"
                error={at?.offset?.message}
                {...form.register(`metricMap.${index}.offset`, { validate: mappingRules.offset })}
              />
            </div>
          </fieldset>
        );
      })}
    </div>
  );
}
