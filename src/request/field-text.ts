/*
 * Fields found in the text of a head, by the names that variables have for them. For what is read now and then; what
 * every message needs is in http/h1's FieldLines.
 */

/** All values of the field whose name has underscores for hyphens, joined; null without one. */
export function joinedField(lines: string, variableName: string): string | null {
  const values = fieldValues(lines, variableName);
  return values.length === 0 ? null : values.join(', ');
}

/** The values of the field whose name has underscores for hyphens, in order. */
export function fieldValues(lines: string, variableName: string): string[] {
  const values: string[] = [];
  for (const line of lines.split('\n')) {
    const colon = line.indexOf(':');
    if (colon !== variableName.length) continue;
    if (line.slice(0, colon).toLowerCase().replaceAll('-', '_') !== variableName) continue;
    values.push(line.slice(colon + 1).replace(/^[ \t]+|[ \t\r]+$/g, ''));
  }
  return values;
}
