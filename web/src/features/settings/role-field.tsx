import type { Role } from '../../generated/graphql.ts';
import { SelectField } from '../../ui/field.tsx';
import { roleNames, roles } from './role-names.ts';

type RoleFieldProps = { value: Role; onChange: (role: Role) => void; autoFocus?: boolean };

/** One of the four roles. */
export function RoleField({ value, onChange, autoFocus = false }: RoleFieldProps) {
  return (
    <SelectField
      label="Role"
      autoFocus={autoFocus}
      value={value}
      onChange={(event) => onChange(roles.find((each) => each === event.target.value) ?? 'VIEWER')}
    >
      {roles.map((each) => (
        <option key={each} value={each}>
          {roleNames[each]}
        </option>
      ))}
    </SelectField>
  );
}
