// What the command line says of itself: every setting with its flag, its variable and its name in the file.
import { describeSettings, type SettingDescription } from './config-settings.ts';

/** One line for each flag, then one for each setting as variable and as name in the file. */
export function helpText(): string {
  const settings = describeSettings();
  const flags = settings.flatMap((setting): Row[] =>
    setting.flag === undefined
      ? []
      : [[`${setting.flag} ${setting.placeholder}`, aboutText(setting)]],
  );
  flags.push(['--config FILE', 'JSON file with any of the settings'], ['--help', 'This list']);
  const others = settings.map((setting): Row => {
    const { variable, name, flag } = setting;
    return [`${variable}  ${name}`, flag === undefined ? aboutText(setting) : `As ${flag}`];
  });
  return [
    'Usage: lambkin start [FLAG VALUE ...]',
    '       lambkin --version [--json]',
    '',
    ...columns(flags),
    '',
    'The same, and what has no flag, as a variable or by its name in the file:',
    '',
    ...columns(others),
  ].join('\n');
}

type Row = readonly [left: string, right: string];

function columns(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function aboutText({ about, default: value }: SettingDescription): string {
  return value === undefined ? about : `${about} (${value})`;
}
